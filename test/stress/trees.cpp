// SPDX-License-Identifier: MIT
// Random trees of goroutines. Every node has a number of its own and is counted once: at the end nothing
// was lost and nothing ran twice.
#include <atomic>
#include <memory>
#include <stdexcept>
#include <vector>

#include "stress/limits.hpp"
#include "stress/seed.hpp"
#include "support/catch.hpp"
#include "weft/weft.hpp"

namespace {

/// How often each unit of work was done.
class ledger {
public:
    explicit ledger(std::uint32_t units) : units_(units), done_(new std::atomic<std::uint8_t>[units]()) {}

    void enter(std::uint32_t unit) { done_[unit].fetch_add(1, std::memory_order_relaxed); }

    /// Units that were not done exactly once.
    std::uint32_t wrong() const {
        std::uint32_t n = 0;
        for (std::uint32_t i = 0; i < units_; i++) n += done_[i].load(std::memory_order_relaxed) != 1;
        return n;
    }

private:
    std::uint32_t units_;
    std::unique_ptr<std::atomic<std::uint8_t>[]> done_;
};

struct thrown {
    std::uint32_t unit;
};

/// A node owns the units [first, first + count): does the first itself and gives the rest to its children.
class tree {
public:
    tree(ledger& book, std::uint64_t round) : book_(book), round_(round) {}

    /// Returns how many units were done, or throws that many.
    std::uint32_t node(std::uint32_t first, std::uint32_t count) {
        stress::random_numbers random(round_ << 32 | first);
        book_.enter(first);
        const bool locked = random.one_in(32);
        if (locked) weft::this_goroutine::lock_os_thread();
        if (random.one_in(4)) weft::yield();
        const std::uint32_t below = count > 1 ? children(random, first + 1, count - 1) : 0;
        if (random.one_in(4)) weft::yield();
        if (locked && random.one_in(2)) weft::this_goroutine::unlock_os_thread();
        if (random.one_in(8)) throw thrown{below + 1};
        return below + 1;
    }

private:
    std::uint32_t children(stress::random_numbers& random, std::uint32_t first, std::uint32_t count) {
        return random.one_in(3) ? waited_for(random, first, count) : joined(random, first, count);
    }

    template <class Start>
    static void divide(stress::random_numbers& random, std::uint32_t first, std::uint32_t count, Start&& start) {
        while (count > 0) {
            const std::uint32_t part = random.one_in(3) ? 1 : 1 + random.below(count);
            start(first, part);
            first += part;
            count -= part;
        }
    }

    std::uint32_t joined(stress::random_numbers& random, std::uint32_t first, std::uint32_t count) {
        std::vector<weft::handle<std::uint32_t>> handles;
        divide(random, first, count, [&](std::uint32_t from, std::uint32_t part) {
            handles.push_back(weft::spawn([this, from, part] { return node(from, part); }));
            if (random.one_in(8)) weft::yield();
        });
        std::uint32_t sum = 0;
        for (auto& h : handles) sum += value_of(h);
        return sum;
    }

    static std::uint32_t value_of(weft::handle<std::uint32_t>& h) {
        try {
            return h.join();
        } catch (const thrown& t) {
            if (t.unit % 2 == 0) weft::yield(); // inside the handler: the exception waits on this stack
            return t.unit;
        }
    }

    std::uint32_t waited_for(stress::random_numbers& random, std::uint32_t first, std::uint32_t count) {
        weft::wait_group all;
        std::atomic<std::uint32_t> sum{0};
        divide(random, first, count, [&](std::uint32_t from, std::uint32_t part) {
            all.add(1);
            weft::go([this, &all, &sum, from, part] {
                try {
                    sum += node(from, part);
                } catch (const thrown& t) {
                    sum += t.unit;
                }
                all.done();
            });
        });
        all.wait();
        return sum;
    }

    ledger& book_;
    std::uint64_t round_;
};

void grow_trees(int procs) {
    weft::runtime rt(weft::options{.procs = procs});
    stress::for_a_while([&](std::uint64_t round) {
        constexpr std::uint32_t units = stress::live_goroutines;
        ledger book(units);
        const std::uint32_t sum = rt.run([&] {
            tree t(book, round);
            return weft::spawn([&] {
                       try {
                           return t.node(0, units);
                       } catch (const thrown& all) {
                           return all.unit;
                       }
                   })
                .join();
        });
        REQUIRE(sum == units);
        REQUIRE(book.wrong() == 0);
    });
}

} // namespace

TEST_CASE("random trees of goroutines on 1 P: nothing is lost, nothing runs twice") { grow_trees(1); }
TEST_CASE("random trees of goroutines on 2 Ps: nothing is lost, nothing runs twice") { grow_trees(2); }
TEST_CASE("random trees of goroutines on 8 Ps: nothing is lost, nothing runs twice") { grow_trees(8); }
TEST_CASE("random trees of goroutines on 32 Ps: nothing is lost, nothing runs twice") { grow_trees(32); }
