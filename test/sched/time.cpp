// SPDX-License-Identifier: MIT
// Sleeping and timers. The numbers are those of go-runtime's acceptance list.
#include <atomic>
#include <chrono>
#include <climits>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sched/proc.hpp"
#include "stress/limits.hpp"
#include "support/catch.hpp"
#include "weft/weft.hpp"

using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

void compute_until(const std::atomic<bool>& done) {
    while (!done.load(std::memory_order_relaxed)) {
    }
}

} // namespace

TEST_CASE("sleep: not shorter than asked for, with one P and with several") {
    for (int procs : {1, 4})
        weft::run(
            [] {
                for (auto d : {1us, 100us, 5000us, 20000us}) {
                    const auto before = steady_clock::now();
                    weft::sleep_for(d);
                    CHECK(steady_clock::now() - before >= d);
                    const auto until = steady_clock::now() + d;
                    weft::sleep_until(until);
                    CHECK(steady_clock::now() >= until);
                    const auto wall = std::chrono::system_clock::now() + d;
                    weft::sleep_until(wall);
                    CHECK(std::chrono::system_clock::now() >= wall);
                }
            },
            {.procs = procs});
}

TEST_CASE("sleep: 98 SleepZeroDeadlock: what is not positive returns at once") {
    weft::run([] {
        for (int i = 0; i < 1000; i++) {
            weft::sleep_for(0s);
            weft::sleep_for(-1h);
            weft::sleep_for(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN()));
            weft::sleep_until(steady_clock::now() - 1h);
            weft::sleep_until(steady_clock::time_point::min() + 1h);
        }
    });
}

TEST_CASE("sleep: thousands sleep at the same time, and none wakes early") {
    for (int procs : {1, 3}) {
        constexpr int count = static_cast<int>(stress::live_goroutines);
        std::atomic<int> woken{0}, early{0};
        const auto before = steady_clock::now();
        weft::run(
            [&] {
                const auto start = steady_clock::now() + 100ms;
                for (int i = 0; i < count; i++)
                    weft::go([&, start, i] {
                        weft::sleep_until(start + i % 50 * 2ms);
                        early += steady_clock::now() < start + i % 50 * 2ms;
                        woken++;
                    });
            },
            {.procs = procs});
        CHECK(woken == count);
        CHECK(early == 0);
        CHECK(steady_clock::now() - before < 60s); // one after the other it would be 600 s
    }
}

TEST_CASE("sleep: main's end waits for sleepers, and abandon does not") {
    std::atomic<bool> woke{false};
    weft::run([&] {
        weft::go([&] {
            weft::sleep_for(30ms);
            woke = true;
        });
    });
    CHECK(woke);
    const auto before = steady_clock::now();
    weft::run(
        [] {
            weft::go([] { weft::sleep_for(1h); });
            weft::yield();
        },
        {.at_exit = weft::at_exit::abandon});
    CHECK(steady_clock::now() - before < 60s);
}

TEST_CASE("sleep: sleepers wake though all Ps are held by endless loops") {
    for (int procs : {1, 2}) {
        std::atomic<bool> done{false};
        int woken = 0;
        weft::run(
            [&] {
                for (int i = 0; i < procs; i++) weft::go([&] { compute_until(done); });
                for (; woken < 10; woken++) weft::sleep_for(5ms);
                done = true;
            },
            {.procs = procs});
        CHECK(woken == 10);
    }
}

TEST_CASE("sleep: 8 TestTimerFairness: timers fire while goroutines yield for ever") {
    for (int procs : {1, 2}) {
        std::atomic<bool> done{false};
        weft::run(
            [&] {
                for (int i = 0; i < 2 * procs; i++)
                    weft::go([&] {
                        while (!done) weft::yield();
                    });
                for (int i = 0; i < 5; i++) weft::sleep_for(20ms);
                done = true;
            },
            {.procs = procs});
        CHECK(done);
    }
}

TEST_CASE("sleep: 9 TestTimerFairness2: the same with system calls mixed in") {
    std::atomic<bool> done{false};
    weft::run(
        [&] {
            for (int i = 0; i < 4; i++)
                weft::go([&, i] {
                    while (!done) {
                        if (i % 2 == 0)
                            weft::blocking([] { std::this_thread::sleep_for(50us); });
                        else
                            std::this_thread::sleep_for(50us);
                        weft::yield();
                    }
                });
            for (int i = 0; i < 5; i++) weft::sleep_for(20ms);
            done = true;
        },
        {.procs = 2});
    CHECK(done);
}

TEST_CASE("sleep: off a goroutine it is refused") {
    CHECK_THROWS_AS(weft::sleep_for(1ms), std::logic_error);
    CHECK_THROWS_AS(weft::timer(1ms, [] {}), std::logic_error);
}

TEST_CASE("timer: 96 AfterFunc: each runs once, as a goroutine, after its time") {
    for (int procs : {1, 3}) {
        std::atomic<int> ran{0}, early{0};
        weft::run(
            [&] {
                std::vector<weft::timer> all;
                for (int i = 0; i < 200; i++) {
                    const auto due = steady_clock::now() + i % 20 * 1ms;
                    all.emplace_back(i % 20 * 1ms, [&, due] {
                        early += steady_clock::now() < due;
                        weft::yield(); // it may do what goroutines do
                        ran++;
                    });
                }
                while (ran < 200) weft::sleep_for(1ms);
                for (auto& t : all) CHECK_FALSE(t.stop());
            },
            {.procs = procs});
        CHECK(ran == 200);
        CHECK(early == 0);
    }
}

TEST_CASE("timer: 96 AfterStop: stop prevents it, reset sets it again, the destructor stops") {
    weft::run([] {
        std::atomic<int> ran{0};
        const auto count = [&] { ran++; };
        weft::timer t(1h, count);
        CHECK(t.stop());
        CHECK_FALSE(t.stop());
        CHECK_FALSE(t.reset(1h));
        CHECK(t.reset(1ms)); // 100 TimerModifiedEarlier
        while (ran < 1) weft::sleep_for(1ms);
        CHECK_FALSE(t.stop());
        CHECK_FALSE(t.reset(1ms));
        while (ran < 2) weft::sleep_for(1ms);
        {
            weft::timer never_runs(5ms, count);
            weft::timer moved = std::move(never_runs);
        }
        weft::sleep_for(15ms);
        CHECK(ran == 2);
    });
}

TEST_CASE("timer: 99 OverflowSleep: the longest durations are kept, and stopped") {
    weft::run([] {
        std::atomic<bool> ran{false};
        weft::timer t(std::chrono::hours::max(), [&] { ran = true; });
        weft::timer u(std::chrono::nanoseconds::max(), [&] { ran = true; });
        weft::timer v(std::chrono::duration<double>(std::numeric_limits<double>::infinity()), [&] { ran = true; });
        weft::sleep_for(5ms);
        CHECK(t.stop());
        CHECK(u.stop());
        CHECK(v.stop());
        CHECK_FALSE(ran);
    });
}

TEST_CASE("timer: 101 ZeroTimerStopPanics, and what else is wrong, by name") {
    weft::run([] {
        weft::timer none;
        CHECK_THROWS_WITH(none.stop(), catch_support::contains("uninitialized Timer"));
        CHECK_THROWS_WITH(none.reset(1s), catch_support::contains("uninitialized Timer"));
        CHECK_THROWS_WITH(weft::timer(1s, std::function<void()>()), catch_support::contains("nil func"));
    });
}

TEST_CASE("timer: one that outlives its runtime is harmless") {
    weft::timer t;
    std::shared_ptr<int> held = std::make_shared<int>(1);
    weft::run([&] { t = weft::timer(1h, [held] {}); }, {.at_exit = weft::at_exit::abandon});
    CHECK_FALSE(t.stop());
    t = weft::timer();
    CHECK(held.use_count() == 1);
}

TEST_CASE("timer: its function is destroyed outside of the runtime, by whoever is last") {
    struct calls_weft {
        ~calls_weft() {
            if (armed) weft::yield();
        }
        calls_weft() = default;
        calls_weft(const calls_weft&) = default;
        calls_weft(calls_weft&& other) noexcept : armed(std::exchange(other.armed, false)) {}
        bool armed = true;
        void operator()() const {}
    };
    weft::run([] {
        for (int i = 0; i < 50; i++) {
            weft::timer ran(1us, calls_weft{});
            weft::timer stopped(1h, calls_weft{});
            if (i % 2 == 0) weft::sleep_for(100us);
        }
        weft::sleep_for(5ms);
    });
}

TEST_CASE("timer: 97 TimerStopStress, seeded: stops and resets from many goroutines, on their own timers") {
    for (int procs : {1, 4}) {
        std::atomic<int> ran{0}, expected{0};
        weft::run(
            [&] {
                weft::rt::getg()->m->rt->force_retake = true;
                for (int who = 0; who < 20; who++)
                    weft::go([&, who] {
                        for (int i = 0; i < 50; i++) {
                            weft::timer t((i * 7 + who) % 40 * 10us, [&] { ran++; });
                            int fired = 1;
                            if (i % 3 == 0) weft::sleep_for((i + who) % 30 * 10us);
                            if (i % 2 == 0) fired += t.reset((i + who) % 20 * 10us) ? 0 : 1;
                            if (i % 5 == 0) weft::yield();
                            fired -= t.stop();
                            expected += fired;
                        }
                    });
            },
            {.procs = procs});
        CHECK(ran == expected);
    }
}
