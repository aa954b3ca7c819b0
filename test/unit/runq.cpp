// SPDX-License-Identifier: MIT
// The local run queue and the order of stealing: rows 16 to 19 of the acceptance list, and the queue
// under an owner and thieves at once.
#include <atomic>
#include <deque>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "os/os.hpp"
#include "sched/runq.hpp"
#include "sched/steal_order.hpp"
#include "stress/seed.hpp"
#include "support/catch.hpp"

using weft::rt::runq;
using weft::rt::steal_order;

namespace {

struct item {
    std::uint32_t number = 0;
    std::atomic<std::uint32_t> taken{0};
};

using queue = runq<item>;

constexpr auto no_overflow = [](item**, std::uint32_t) { FAIL("the queue overflowed"); };
constexpr auto no_wait = [] {};

template <class Queue>
item* take(Queue& q) {
    bool inherit;
    return q.take(inherit);
}

template <class Queue, class BeforeNext>
item* steal(Queue& victim, Queue& mine, bool with_next, BeforeNext&& before_next) {
    return victim.steal_into(mine, with_next, before_next, weft::rt::os::heavy_barrier);
}

/// f(false), and f(true) where the kernel has barriers that only thieves pay.
template <class F>
void symmetric_and_not(F&& f) {
    f(false);
    if (weft::rt::os::register_heavy_barrier()) f(true);
}

/// Moves head and tail on, so that the indices wrap in the middle of what follows.
void turn(queue& q, item& any, std::uint32_t by) {
    for (std::uint32_t i = 0; i < by; i++) {
        q.put(&any, false, no_overflow);
        q.take_head();
    }
}

/// What a queue of count items gives when half of it is stolen; each item is counted in item::taken.
std::uint32_t steal_and_drain(std::vector<item>& items, std::uint32_t count, bool asymmetric) {
    queue victim, mine;
    victim.set_asymmetric(asymmetric);
    mine.set_asymmetric(asymmetric);
    for (std::uint32_t i = 0; i < count; i++) victim.put(&items[i], false, no_overflow);
    std::uint32_t stolen = 0;
    if (item* first = steal(victim, mine, true, no_wait)) {
        first->taken++;
        stolen++;
    }
    for (item* next; (next = take(mine)) != nullptr; stolen++) next->taken++;
    while (item* left = take(victim)) left->taken++;
    return stolen;
}

} // namespace

TEST_CASE("16 TestSchedLocalQueue: first in first out at every fill") {
    std::vector<item> items(queue::capacity);
    for (std::uint32_t start : {0U, 1U, 200U, 255U})
        for (std::uint32_t fill = 0; fill <= queue::capacity; fill++) {
            queue q;
            turn(q, items[0], start);
            REQUIRE(take(q) == nullptr);
            REQUIRE(q.empty());
            for (std::uint32_t i = 0; i < fill; i++) q.put(&items[i], false, no_overflow);
            REQUIRE(q.size() == fill);
            std::uint32_t wrong = 0;
            for (std::uint32_t i = 0; i < fill; i++) wrong += take(q) != &items[i];
            REQUIRE(wrong == 0);
            REQUIRE(take(q) == nullptr);
        }
}

TEST_CASE("16 TestSchedLocalQueue: with one P it is the same") {
    std::vector<item> items(queue::capacity);
    queue q;
    q.set_solo(true);
    for (int round = 0; round < 3; round++) {
        for (item& i : items) q.put(&i, false, no_overflow);
        q.put(&items[0], true, no_overflow);
        REQUIRE(take(q) == &items[0]);
        std::uint32_t wrong = 0;
        for (item& i : items) wrong += take(q) != &i;
        REQUIRE(wrong == 0);
        REQUIRE(q.empty());
    }
}

TEST_CASE("16 TestSchedLocalQueue: runnext goes first and inherits; who stood there goes to the tail") {
    item a, b, c;
    queue q;
    q.put(&a, false, no_overflow);
    q.put(&b, true, no_overflow);
    q.put(&c, true, no_overflow);
    bool inherit = false;
    CHECK(q.take(inherit) == &c);
    CHECK(inherit);
    CHECK(q.take(inherit) == &a);
    CHECK_FALSE(inherit);
    CHECK(q.take(inherit) == &b);
    CHECK(q.empty());
}

TEST_CASE("16 TestSchedLocalQueue: a full ring gives half of itself and the newcomer away, oldest first") {
    std::vector<item> items(queue::capacity + 1);
    queue q;
    std::vector<item*> given;
    for (item& i : items)
        q.put(&i, false, [&](item** batch, std::uint32_t count) { given.assign(batch, batch + count); });
    REQUIRE(given.size() == queue::capacity / 2 + 1);
    for (std::uint32_t i = 0; i < queue::capacity / 2; i++) CHECK(given[i] == &items[i]);
    CHECK(given.back() == &items.back());
    CHECK(take(q) == &items[queue::capacity / 2]);
    CHECK(q.size() == queue::capacity / 2 - 1);
}

TEST_CASE("16 TestSchedLocalQueue: what prepare_put wrote is there once the tail is published") {
    item a, b;
    queue q;
    q.put(&a, false, no_overflow);
    std::uint32_t* where = nullptr;
    std::uint32_t what = 0;
    REQUIRE(q.prepare_put(&b, where, what));
    CHECK(q.size() == 1);
    std::atomic_ref(*where).store(what, std::memory_order_release);
    CHECK(take(q) == &a);
    CHECK(take(q) == &b);
    for (std::uint32_t i = 0; i < queue::capacity; i++) q.put(&a, false, no_overflow);
    CHECK_FALSE(q.prepare_put(&b, where, what));
}

TEST_CASE("16 TestSchedLocalQueue: the newest leave in their order, never the last one") {
    std::vector<item> items(queue::capacity);
    item* out[queue::capacity];
    for (std::uint32_t start : {0U, 200U}) {
        queue q;
        turn(q, items[0], start);
        CHECK(q.take_newest(out, 5) == 0);
        for (item& i : items) q.put(&i, false, no_overflow);
        REQUIRE(q.take_newest(out, 61) == 61);
        for (std::uint32_t i = 0; i < 61; i++) CHECK(out[i] == &items[queue::capacity - 61 + i]);
        for (std::uint32_t i = 0; i < 61; i++) q.put(out[i], false, no_overflow); // there is room again
        REQUIRE(q.take_newest(out, queue::capacity) == queue::capacity - 1);
        CHECK(take(q) == &items[0]);
        CHECK(q.empty());
    }
}

TEST_CASE("16 TestSchedLocalQueue: rotate takes the head and leaves a place for who gave it") {
    std::vector<item> items(30);
    queue q;
    std::uint32_t* where = nullptr;
    int fetched = 0;
    const auto ahead = [&](item*, item*) { fetched++; };
    CHECK(q.rotate(&items[0], where, ahead) == nullptr);
    for (std::size_t i = 1; i < items.size(); i++) q.put(&items[i], false, no_overflow);
    item* running = &items[0];
    for (std::size_t i = 1; i <= 2 * items.size(); i++) {
        item* next = q.rotate(running, where, ahead);
        REQUIRE(next == &items[i % items.size()]);
        CHECK(q.size() == items.size() - 2); // who left is on no queue before it is published
        std::atomic_ref(*where).fetch_add(1, std::memory_order_release);
        running = next;
    }
    CHECK(fetched > 0);
}

TEST_CASE("17 TestSchedLocalQueueSteal: half is stolen; nothing is lost or duplicated") {
    symmetric_and_not([](bool asymmetric) {
        for (std::uint32_t count = 0; count <= queue::capacity; count++) {
            std::vector<item> items(queue::capacity);
            const std::uint32_t stolen = steal_and_drain(items, count, asymmetric);
            std::uint32_t wrong = 0;
            for (std::uint32_t i = 0; i < queue::capacity; i++) wrong += items[i].taken != (i < count ? 1U : 0U);
            REQUIRE(wrong == 0);
            REQUIRE(stolen == count - count / 2);
        }
    });
}

TEST_CASE("17 TestSchedLocalQueueSteal: runnext is stolen only when asked for and nothing else is there") {
    item a, b;
    queue victim, mine;
    int waited = 0;
    const auto wait = [&] { waited++; };
    victim.put(&a, true, no_overflow);
    CHECK(steal(victim, mine, false, wait) == nullptr);
    victim.put(&b, true, no_overflow); // a goes to the ring
    CHECK(steal(victim, mine, true, wait) == &a);
    CHECK(waited == 0);
    CHECK(steal(victim, mine, true, wait) == &b);
    CHECK(waited == 1);
    CHECK(victim.empty());
    CHECK(mine.empty());
}

namespace {

/// The owner keeps at least one item in the queue, in runnext, in the ring or on the way from one to the other.
/// How often another thread saw nothing.
std::uint64_t seen_empty(bool asymmetric) {
    queue q;
    q.set_asymmetric(asymmetric);
    item items[2];
    std::atomic<bool> stop{false};
    std::uint64_t wrong = 0;
    q.put(&items[0], false, no_overflow);
    std::thread observer([&] {
        do wrong += q.empty();
        while (!stop.load(std::memory_order_relaxed));
    });
    stress::random_numbers random(18);
    for (int i = 0; i < 300'000; i++) {
        const std::uint64_t choice = random.next();
        q.put(&items[0], (choice & 1) != 0, no_overflow);
        if ((choice & 2) != 0) {
            q.put(&items[1], (choice & 4) != 0, no_overflow);
            take(q);
        }
        take(q);
    }
    stop = true;
    observer.join();
    return wrong;
}

} // namespace

TEST_CASE("18 TestSchedLocalQueueEmpty: empty() is never true while something is queued") {
    symmetric_and_not([](bool asymmetric) { CHECK(seen_empty(asymmetric) == 0); });
}

TEST_CASE("19 TestStealOrder: every position comes once") {
    stress::random_numbers random(19);
    std::vector<std::uint32_t> sizes{127, 128, 360, 1023, 1024};
    for (std::uint32_t n = 1; n <= 64; n++) sizes.push_back(n);
    for (std::uint32_t n : sizes)
        for (int i = 0; i < 300; i++) {
            const auto choice = i == 0 ? 0U : i == 1 ? ~0U : static_cast<std::uint32_t>(random.next());
            std::vector<bool> seen(n);
            std::uint32_t steps = 0, twice = 0;
            for (steal_order order(n, choice); !order.done(); order.next(), steps++) {
                const std::uint32_t position = order.position();
                if (position >= n) FAIL("position " << position << " of " << n);
                twice += seen[position];
                seen[position] = true;
            }
            if (steps != n || twice != 0)
                FAIL("n " << n << ", random " << choice << ": " << steps << " steps, " << twice << " twice");
        }
    SUCCEED();
}

TEST_CASE("19 TestStealOrder: different random numbers give different orders") {
    std::set<std::vector<std::uint32_t>> orders;
    for (std::uint32_t random = 0; random < 32; random++) {
        std::vector<std::uint32_t> order;
        for (steal_order o(8, random); !o.done(); o.next()) order.push_back(o.position());
        orders.insert(order);
    }
    CHECK(orders.size() >= 8); // 8 starts at least, with up to 4 steps each
}

namespace {

// A ring of 4 is full, empty and wrapped all the time.
using small_queue = runq<item, 4>;

/// Steals until it is told to stop and finds nothing any more.
void steal_all(small_queue& victim, const std::atomic<bool>& stop) {
    small_queue mine;
    for (bool last = false; !last;) {
        last = stop.load(std::memory_order_acquire);
        while (item* first = steal(victim, mine, true, no_wait)) {
            last = false;
            first->taken++;
            while (item* next = take(mine)) next->taken++;
        }
    }
}

/// The owner puts every item in one of the three ways and takes some itself; what overflows counts as taken.
void own(small_queue& q, std::vector<item>& items) {
    stress::random_numbers random(17);
    const auto overflow = [](item** batch, std::uint32_t count) {
        for (std::uint32_t i = 0; i < count; i++) batch[i]->taken++;
    };
    for (item& i : items) {
        std::uint32_t* where;
        std::uint32_t what;
        if (random.one_in(3) && q.prepare_put(&i, where, what))
            std::atomic_ref(*where).store(what, std::memory_order_release);
        else
            q.put(&i, random.one_in(2), overflow);
        for (std::uint32_t n = random.below(3); n > 0; n--)
            if (item* got = take(q)) got->taken++;
        if (random.one_in(5)) {
            item* newest[2];
            for (std::uint32_t n = q.take_newest(newest, 2); n > 0; n--) newest[n - 1]->taken++;
        }
    }
}

} // namespace

TEST_CASE("17 TestSchedLocalQueueSteal: an owner and three thieves at a ring of four") {
    symmetric_and_not([](bool asymmetric) {
        std::vector<item> items(stress::long_run() ? 20'000'000 : 1'000'000);
        small_queue q;
        q.set_asymmetric(asymmetric);
        std::atomic<bool> stop{false};
        std::vector<std::thread> thieves;
        for (int i = 0; i < 3; i++) thieves.emplace_back([&] { steal_all(q, stop); });
        own(q, items);
        stop.store(true, std::memory_order_release);
        for (auto& t : thieves) t.join();
        while (item* left = take(q)) left->taken++;
        std::size_t wrong = 0;
        for (const item& i : items) wrong += i.taken != 1;
        CHECK(wrong == 0);
    });
}
