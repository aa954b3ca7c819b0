// SPDX-License-Identifier: MIT
// What blocks threads: note and futex_mutex. Shared data is relaxed on purpose: the order has to come
// from the lock, and ThreadSanitizer does not see into the runtime.
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "core/futex_mutex.hpp"
#include "sched/note.hpp"
#include "stress/seed.hpp"
#include "support/catch.hpp"
#include "unit/child.hpp"

using weft::rt::futex_mutex;
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
    futex_mutex lock;
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
