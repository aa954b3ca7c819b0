// SPDX-License-Identifier: MIT
// What goroutines are made of: stacks, descriptors, and the lists of descriptors.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <set>
#include <thread>
#include <vector>

#include "core/cpu.hpp"
#include "core/stack.hpp"
#include "sched/gpool.hpp"
#include "sched/gqueue.hpp"
#include "sched/runtime_impl.hpp"
#include "stress/seed.hpp"
#include "support/catch.hpp"
#include "unit/child.hpp"
#include "unit/limits.hpp"

using namespace weft::rt;

namespace {

constexpr std::size_t slot = 64 * 1024;

std::vector<stack> take(stack_pool& pool, std::size_t count) {
    std::vector<stack> stacks(count);
    for (std::size_t taken = 0; taken < count;) taken += pool.take(stacks.data() + taken, count - taken);
    return stacks;
}

std::vector<stack> reserve_and_take(stack_pool& pool, std::size_t count) {
    pool.reserve(count);
    return take(pool, count);
}

volatile char& byte_at(std::uintptr_t address) { return *reinterpret_cast<volatile char*>(address); }

bool by_address(const stack& a, const stack& b) { return a.lo < b.lo; }

bool guarded(const stack& s) {
    return child::faults([&] { byte_at(s.lo - 1) = 1; }) && child::faults([&] { byte_at(s.lo - page_size()) = 1; });
}

} // namespace

TEST_CASE("stack_pool: stacks are apart, aligned, and theirs from end to end") {
    stack_pool pool(slot, 0);
    std::vector<stack> stacks = reserve_and_take(pool, 100);
    std::sort(stacks.begin(), stacks.end(), by_address);
    for (std::size_t i = 0; i < stacks.size(); i++) {
        const stack& s = stacks[i];
        CHECK(s.lo % page_size() == 0);
        CHECK(s.hi % cpu::stack_align == 0);
        CHECK(s.hi - s.lo <= slot);
        CHECK(s.hi - s.lo > slot - page_size());
        if (i > 0) CHECK(s.lo - page_size() >= stacks[i - 1].hi);
        std::memset(reinterpret_cast<void*>(s.lo), static_cast<int>(i), s.hi - s.lo);
    }
    for (std::size_t i = 0; i < stacks.size(); i++) {
        CHECK(byte_at(stacks[i].lo) == static_cast<char>(i));
        CHECK(byte_at(stacks[i].hi - 1) == static_cast<char>(i));
    }
}

TEST_CASE("stack_pool: below every stack lies a guard") {
    stack_pool pool(slot, 0);
    for (const stack& s : reserve_and_take(pool, 20)) CHECK(guarded(s));
}

TEST_CASE("stack_pool: the guard stays when a stack was used, put back and taken again") {
    stack_pool pool(slot, 0);
    std::vector<stack> first = reserve_and_take(pool, 1);
    byte_at(first[0].lo) = 1;
    pool.put(first.data(), 1);
    const std::vector<stack> again = take(pool, 1);
    CHECK(again[0].lo == first[0].lo);
    CHECK(again[0].hi == first[0].hi);
    CHECK(guarded(again[0]));
}

TEST_CASE("stack_pool: where the kernel knows no guard regions, mprotect makes the guards") {
    const child::ended e = child::run([] {
        if (!limit::without_guard_regions()) _exit(child::skipped);
        stack_pool pool(slot, 0);
        if (pool.guard() != guard_kind::mprotect) std::puts("not by mprotect");
        for (const stack& s : reserve_and_take(pool, 20)) {
            byte_at(s.lo) = 1;
            if (!guarded(s)) std::puts("no guard");
        }
    });
    if (e.status == child::skipped) {
        WARN("skipped: this system has no seccomp filters");
        return;
    }
    CHECK(e.status == 0);
    CHECK(e.text.empty());
}

TEST_CASE("stack_pool: the hot ends of neighbours lie in different cache sets") {
    stack_pool pool(slot, 0);
    std::set<std::uintptr_t> ends;
    for (const stack& s : reserve_and_take(pool, 16)) ends.insert(s.hi % page_size());
    CHECK(ends.size() >= 8);
}

TEST_CASE("stack_pool: what was put back is taken before anything new") {
    stack_pool pool(slot, 0);
    std::vector<stack> stacks = reserve_and_take(pool, 50);
    pool.put(stacks.data(), 50);
    std::vector<stack> again = take(pool, 50);
    std::sort(stacks.begin(), stacks.end(), by_address);
    std::sort(again.begin(), again.end(), by_address);
    std::size_t other = 0;
    for (std::size_t i = 0; i < 50; i++) other += stacks[i].lo != again[i].lo;
    CHECK(other == 0);
}

TEST_CASE("stack_pool: promises given back serve again") {
    stack_pool pool(slot, 0);
    for (int i = 0; i < 10'000; i++) {
        pool.reserve(64);
        pool.unreserve(64);
    }
    CHECK(reserve_and_take(pool, 64).size() == 64);
}

TEST_CASE("stack_pool: taking more than exists has a named end") {
    const child::ended e = child::run([] {
        stack_pool pool(slot, 0);
        pool.reserve(1);
        for (int i = 0; i < 100'000; i++) take(pool, 1);
    });
    CHECK(e.status == 2);
    CHECK(e.text == "fatal error: runtime: more stacks taken than were reserved\n");
}

TEST_CASE("stack_pool: no address space is an exception, after which it goes on") {
    const child::ended e = child::run([] {
        stack_pool pool(std::size_t{1} << 30, 0);
        pool.reserve(1);
        if (!limit::address_space(std::size_t{256} << 20)) _exit(child::skipped);
        try {
            pool.reserve(100);
            std::puts("no exception");
        } catch (const std::bad_alloc&) {
        }
        byte_at(take(pool, 1)[0].hi - 1) = 1;
        pool.unreserve(1);
    });
    if (e.status == child::skipped) {
        WARN("skipped: RLIMIT_AS cannot be used here");
        return;
    }
    CHECK(e.status == 0);
    CHECK(e.text.empty());
}

TEST_CASE("stack_pool: several threads never hold the same stack") {
    stack_pool pool(slot, 0);
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; t++)
        threads.emplace_back([&, t] {
            stress::random_numbers random(t);
            std::vector<stack> mine;
            for (int i = 0; i < 4'000; i++) {
                if (random.one_in(2)) {
                    pool.reserve(1);
                    mine.push_back(take(pool, 1)[0]);
                    std::atomic_ref(*reinterpret_cast<std::uint64_t*>(mine.back().hi - 8))
                        .store(t + 1, std::memory_order_relaxed);
                } else if (!mine.empty()) {
                    const stack s = mine[random.below(static_cast<std::uint32_t>(mine.size()))];
                    std::swap(*std::find_if(mine.begin(), mine.end(), [&](const stack& x) { return x.lo == s.lo; }),
                              mine.back());
                    mine.pop_back();
                    wrong +=
                        std::atomic_ref(*reinterpret_cast<std::uint64_t*>(s.hi - 8)).load(std::memory_order_relaxed) !=
                        t + 1;
                    pool.put(&s, 1);
                    pool.unreserve(1);
                }
            }
        });
    for (auto& t : threads) t.join();
    CHECK(wrong == 0);
}

TEST_CASE("map_stack: a stack of its own with a guard; none when there is no memory") {
    const stack s = map_stack(slot);
    REQUIRE(s);
    byte_at(s.lo) = 1;
    byte_at(s.hi - 1) = 1;
    CHECK(guarded(s));
    unmap_stack(s);
    CHECK(child::faults([&] { byte_at(s.hi - 1) = 1; }));
    CHECK_FALSE(map_stack(std::size_t{1} << 60));
}

TEST_CASE("gpool: descriptors are distinct, aligned, and know their runtime") {
    runtime_impl owner(weft::options{}, 1);
    gpool pool;
    std::set<g*> all;
    for (int i = 0; i < 1000; i++) {
        g* gp = pool.make(owner);
        CHECK(reinterpret_cast<std::uintptr_t>(gp) % alignof(g) == 0);
        CHECK(gpool::runtime_of(gp) == &owner);
        all.insert(gp);
    }
    CHECK(all.size() == 1000);
    std::size_t found = 0;
    pool.for_each([&](g* gp) { found += all.count(gp); });
    CHECK(found == 1000);
}

TEST_CASE("gqueue: keeps its order while it grows and its places are used again") {
    std::vector<g> gs(2000);
    gqueue queue;
    std::size_t pushed = 0, popped = 0;
    for (std::uint32_t room : {100U, 256U, 257U, 700U, 2000U}) {
        queue.reserve(room);
        std::vector<g*> batch;
        for (; pushed < room; pushed++) batch.push_back(&gs[pushed]);
        queue.push_back(batch.data(), static_cast<std::uint32_t>(batch.size()));
        for (; popped < room - 50; popped++)
            if (queue.pop() != &gs[popped]) FAIL("number " << popped << " came too late");
        CHECK(queue.size() == 50);
    }
    for (int round = 0; round < 100; round++) { // 2048 places, some three times over
        for (std::size_t i = 0; i < 50; i++)
            if (queue.pop() != &gs[1950 + i]) FAIL("round " << round);
        CHECK(queue.pop() == nullptr);
        for (std::size_t i = 0; i < 50; i++) queue.push_back(&gs[1950 + i]);
    }
    CHECK(queue.size() == 50);
}

TEST_CASE("gqueue: first in first out; glist: last in first out") {
    std::vector<g> gs(5);
    gqueue queue;
    queue.reserve(5);
    glist list;
    CHECK(queue.pop() == nullptr);
    CHECK(list.pop() == nullptr);
    for (int round = 0; round < 2; round++) {
        for (g& gp : gs) queue.push_back(&gp);
        CHECK(queue.size() == 5);
        for (g& gp : gs) CHECK(queue.pop() == &gp);
        CHECK(queue.empty());
        CHECK(queue.size() == 0);
        for (g& gp : gs) list.push(&gp);
        CHECK(list.size() == 5);
        for (auto gp = gs.rbegin(); gp != gs.rend(); ++gp) CHECK(list.pop() == &*gp);
        CHECK(list.empty());
        CHECK(list.size() == 0);
    }
}
