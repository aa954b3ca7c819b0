// SPDX-License-Identifier: MIT
// What blocks threads: note and futex_mutex. Shared data is relaxed on purpose: the order has to come
// from the lock, and ThreadSanitizer does not see into the runtime.
#include <atomic>
#include <mutex>
#include <thread>
#include <tuple>
#include <vector>

#include "core/futex_mutex.hpp"
#include "sched/note.hpp"
#include "stress/seed.hpp"
#include "support/catch.hpp"
#include "unit/child.hpp"

using weft::rt::lock_rank;
using weft::rt::note;

namespace {
constexpr auto relaxed = std::memory_order_relaxed;
}

TEST_CASE("note: a wake-up before the sleep is not lost") {
    note n;
    n.wakeup();
    n.sleep();
    n.clear();
    n.wakeup();
    CHECK(n.sleep_for(1'000'000'000'000));
}

TEST_CASE("note: sleep_for without a wake-up says so and leaves the note clear") {
    note n;
    CHECK_FALSE(n.sleep_for(1'000'000));
    CHECK_FALSE(n.sleep_for(0));
    CHECK_FALSE(n.sleep_for(-1));
    n.wakeup();
    CHECK(n.sleep_for(0));
}

TEST_CASE("note: poke tells the first from the others") {
    note n;
    CHECK(n.poke());
    CHECK_FALSE(n.poke());
    n.sleep();
    n.clear();
    CHECK(n.poke());
}

TEST_CASE("note: a second wakeup has a named end") {
    const child::ended e = child::run([] {
        note n;
        n.wakeup();
        n.wakeup();
    });
    CHECK(e.status == 2);
    CHECK(e.text == "fatal error: notewakeup - double wakeup\n");
}

TEST_CASE("note: what was written before the wake-up is read after the sleep, thousands of times") {
    constexpr int rounds = 20'000;
    note there, back;
    std::atomic<int> message{0};
    int wrong = 0;
    std::thread waker([&] {
        for (int i = 1; i <= rounds; i++) {
            message.store(i, relaxed);
            there.wakeup();
            back.sleep();
            back.clear();
        }
    });
    for (int i = 1; i <= rounds; i++) {
        there.sleep();
        there.clear();
        wrong += message.load(relaxed) != i;
        back.wakeup();
    }
    waker.join();
    CHECK(wrong == 0);
}

TEST_CASE("note: a wake-up that meets the end of a timed sleep is seen, by it or by the next") {
    constexpr int rounds = 5'000;
    note there, back;
    std::atomic<int> message{0};
    int wrong = 0;
    std::thread waker([&] {
        stress::random_numbers random(1);
        for (int i = 1; i <= rounds; i++) {
            for (volatile std::uint32_t pause = random.below(3000); pause > 0;) pause = pause - 1;
            message.store(i, relaxed);
            there.wakeup();
            back.sleep();
            back.clear();
        }
    });
    stress::random_numbers random(2);
    for (int i = 1; i <= rounds; i++) {
        while (!there.sleep_for(random.below(60'000))) {
        }
        there.clear();
        wrong += message.load(relaxed) != i;
        back.wakeup();
    }
    waker.join();
    CHECK(wrong == 0);
}

TEST_CASE("futex_mutex: one holder at a time, and nobody sleeps for ever") {
    constexpr int threads = 6, rounds = 30'000;
    weft::rt::futex_mutex<lock_rank::sched> lock;
    std::atomic<int> counter{0};
    std::vector<std::thread> all;
    for (int t = 0; t < threads; t++)
        all.emplace_back([&] {
            for (int i = 0; i < rounds; i++) {
                std::lock_guard hold(lock);
                const int seen = counter.load(relaxed); // not one operation: only the lock makes it one
                if (i % 64 == 0) std::this_thread::yield();
                counter.store(seen + 1, relaxed);
            }
        });
    for (auto& t : all) t.join();
    CHECK(counter == threads * rounds);
}

TEST_CASE("lock_rank: 80 TestLockRankPartialOrder: what may nest has no circle, and leaves hold nothing") {
    constexpr int ranks = static_cast<int>(lock_rank::stacks) + 1;
    for (int held = 0; held < ranks; held++)
        for (int taken = 0; taken < ranks; taken++) {
            INFO(held << " then " << taken);
            const auto outer = static_cast<lock_rank>(held), inner = static_cast<lock_rank>(taken);
            const bool two_heaps = outer == lock_rank::timers && inner == lock_rank::timers;
            CHECK((!may_nest(outer, inner) || two_heaps || held < taken));
            CHECK((!may_nest(outer, inner) || outer < lock_rank::sched));
        }
}

#ifdef WEFT_LOCK_RANKS
namespace {
template <lock_rank... ranks>
child::ended take_in_order() {
    return child::run([] {
        std::tuple<weft::rt::futex_mutex<ranks>...> locks;
        std::apply([](auto&... lock) { (lock.lock(), ...); }, locks);
    });
}
} // namespace

TEST_CASE("lock_rank: locks in the wrong order have a named end, though nobody waits") {
    CHECK(take_in_order<lock_rank::world, lock_rank::sched>().status == 0);
    const child::ended e = take_in_order<lock_rank::world, lock_rank::sched, lock_rank::world>();
    CHECK(e.status == 2);
    CHECK(e.text == "fatal error: lock ordering problem: world taken while holding world, sched\n");
    CHECK(take_in_order<lock_rank::sched, lock_rank::stacks>().text ==
          "fatal error: lock ordering problem: stacks taken while holding sched\n");
}

TEST_CASE("lock_rank: a lock released on another thread has a named end") {
    const child::ended e = child::run([] {
        weft::rt::futex_mutex<lock_rank::sched> lock;
        lock.lock();
        std::thread([&] { lock.unlock(); }).join();
    });
    CHECK(e.status == 2);
    CHECK(e.text == "fatal error: lock ordering problem: sched released by a thread that does not hold it; it holds\n");
}
#endif
