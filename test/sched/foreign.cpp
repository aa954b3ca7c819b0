// SPDX-License-Identifier: MIT
// Threads of the host's that are no goroutines, and what they may do to a runtime. Numbers: go-runtime's list.
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sched/proc.hpp"
#include "sched/thrown_by.hpp"
#include "support/catch.hpp"
#include "weft/weft.hpp"

using namespace std::chrono_literals;
using catch_support::contains;
using sched_test::thrown_by;

namespace {

/// By a name of its own: without debug information, a lambda inside run() goes by the library's.
[[gnu::noinline]] void start_stubborn(std::atomic<bool>& up, const std::atomic<bool>& leave) {
    weft::go([&up, &leave] {
        up = true;
        while (!leave) std::this_thread::yield();
    });
}

} // namespace

TEST_CASE("foreign: a thread starts goroutines and wakes one that is parked") {
    for (int procs : {1, 3}) {
        weft::runtime rt(weft::options{.procs = procs});
        std::atomic<int> ran{0};
        std::thread other;
        rt.run([&] {
            weft::parker p;
            const weft::external_waker held(rt);
            other = std::thread([&] {
                for (int i = 0; i < 100; i++) rt.go([&] { ran++; });
                std::this_thread::sleep_for(5ms); // by then everybody is asleep
                rt.go([&] { p.unpark(); });
            });
            p.park();
            CHECK(weft::num_goroutine() >= 1);
        });
        other.join();
        CHECK(ran == 100);
    }
}

TEST_CASE("foreign: call runs a function as a goroutine and brings back what it returns or throws") {
    weft::runtime rt;
    std::promise<void> up, done;
    std::thread host([&] {
        rt.run([&] {
            const weft::external_waker held(rt);
            rt.go([&] { up.set_value(); });
            weft::blocking([&] { done.get_future().wait(); });
        });
    });
    up.get_future().wait();
    CHECK(rt.call([] { return weft::this_goroutine::id() > 1; }));
    CHECK(rt.call([] { return weft::spawn([] { return std::string("inner"); }).join(); }) == "inner");
    CHECK_THROWS_WITH(rt.call([]() -> int { throw std::runtime_error("as it was"); }), "as it was");
    rt.call([] { weft::sleep_for(1ms); });
    CHECK(rt.call([] { return std::make_unique<int>(7); }) != nullptr);
    done.set_value();
    host.join();
}

TEST_CASE("foreign: before and after run it is refused by name, from a goroutine call is refused") {
    weft::runtime rt;
    CHECK_THROWS_WITH(rt.go([] {}), contains("the runtime does not run"));
    CHECK_THROWS_WITH(rt.call([] {}), contains("the runtime does not run"));
    CHECK_THROWS_WITH(weft::external_waker(rt), contains("the runtime does not run"));
    rt.run([&] {
        CHECK_THROWS_WITH(rt.call([] {}), contains("use weft::spawn"));
        rt.go([] {}); // a goroutine may, as any thread
    });
    CHECK_THROWS_WITH(rt.go([] {}), contains("the runtime does not run"));
}

TEST_CASE("foreign: what comes before main has ended runs, and is waited for") {
    for (int procs : {1, 2}) {
        weft::runtime rt(weft::options{.procs = procs});
        std::atomic<int> accepted{0}, ran{0};
        std::atomic<bool> up{false}, returned{false};
        std::thread other([&] {
            while (!up) std::this_thread::yield();
            try {
                for (int late = 0; late < 100; late += returned) {
                    rt.go([&] { ran++; });
                    accepted++;
                    while (accepted - ran > 50) std::this_thread::yield();
                }
            } catch (const std::logic_error&) {
            }
        });
        rt.run([&] {
            up = true;
            while (ran < 1000) weft::yield();
            returned = true; // some more come while run waits, or are refused
        });
        other.join();
        CHECK(accepted >= 1000);
        CHECK(ran == accepted);
    }
}

TEST_CASE("foreign: abandon tells whoever waits in call") {
    weft::runtime rt(weft::options{.procs = 2, .at_exit = weft::at_exit::abandon});
    std::atomic<bool> up{false}, inside{false};
    std::string thrown;
    std::thread other([&] {
        while (!up) std::this_thread::yield();
        thrown = thrown_by([&] {
            rt.call([&] {
                inside = true;
                weft::sleep_for(1h);
            });
        });
    });
    rt.run([&] {
        up = true;
        while (!inside) weft::sleep_for(100us);
    });
    other.join();
    CHECK_THAT(thrown, contains("abandoned"));
}

TEST_CASE("foreign: 88 CgoNumGoroutine: goroutines that a thread started are counted") {
    weft::runtime rt(weft::options{.procs = 2});
    rt.run([&] {
        std::atomic<bool> done{false};
        const weft::external_waker held(rt);
        std::thread([&] {
            for (int i = 0; i < 10; i++)
                rt.go([&] {
                    while (!done) weft::yield();
                });
        }).join();
        CHECK(weft::num_goroutine() == 11);
        done = true;
        while (weft::num_goroutine() > 1) weft::yield();
    });
}

TEST_CASE("foreign: a deadlock is told to the callback, once, and a thread may still help") {
    for (int round = 0; round < 50; round++) {
        std::atomic<int> told{0};
        std::string text;
        std::atomic<weft::parker*> parked{nullptr};
        weft::options opts{.procs = 2};
        std::promise<void> dead;
        opts.on_deadlock = [&](const std::string& report) {
            text = report;
            if (told++ == 0) dead.set_value();
        };
        weft::runtime rt(opts);
        std::thread helper([&] {
            dead.get_future().wait();
            rt.go([&] { parked.load()->unpark(); });
        });
        rt.run([&] {
            weft::parker p;
            parked = &p;
            p.park();
        });
        helper.join();
        CHECK(told == 1); // also when the report is over before the helper's goroutine has an m
        CHECK_THAT(text, contains("all goroutines are asleep - deadlock!"));
        CHECK_THAT(text, contains("goroutine 1 [park]:"));
    }
}

TEST_CASE("foreign: many threads, many runs, Ps that are taken") {
    weft::runtime rt(weft::options{.procs = 2});
    for (int round = 0; round < 5; round++) {
        std::atomic<int> sum{0}, expected{0};
        std::vector<std::thread> threads;
        rt.run([&] {
            weft::rt::getg()->m->rt->force_retake = true;
            const weft::external_waker held(rt);
            std::atomic<int> ended{0};
            for (int t = 0; t < 4; t++)
                threads.emplace_back([&, t] {
                    for (int i = 0; i < 50; i++) {
                        if ((i + t) % 3 == 0)
                            rt.call([&] { sum++; });
                        else
                            rt.go([&] {
                                weft::yield();
                                sum++;
                            });
                        expected++;
                    }
                    ended++;
                });
            while (ended < 4) weft::sleep_for(200us);
        });
        for (auto& t : threads) t.join();
        CHECK(sum == expected);
    }
}

TEST_CASE("foreign: stop ends a run from outside, whatever its goroutines wait for") {
    for (int procs : {1, 2}) {
        weft::runtime rt(weft::options{.procs = procs});
        std::atomic<bool> up{false};
        std::string thrown;
        std::thread host([&] {
            thrown = thrown_by([&] {
                rt.run([&] {
                    for (int i = 0; i < 10; i++)
                        weft::go([] {
                            weft::parker p;
                            p.park();
                        });
                    weft::go([] {
                        for (;;) weft::yield();
                    });
                    weft::go([] { weft::sleep_for(1h); });
                    up = true;
                    for (;;) weft::sleep_for(1ms);
                });
            });
        });
        while (!up) std::this_thread::yield();
        const std::string refused = rt.call([&] { return thrown_by([&] { rt.stop(1s); }); });
        const bool stopped = rt.stop(60s);
        const bool again = rt.stop(0s); // there is nothing to stop
        host.join();
        CHECK_THAT(refused, contains("runtime::stop"));
        CHECK(stopped);
        CHECK(again);
        CHECK_THAT(thrown, contains("stopped"));
        CHECK(rt.run([] { return 7; }) == 7);
    }
}

TEST_CASE("foreign: stop tells who has not come back in time") {
    weft::runtime rt(weft::options{.procs = 2});
    std::atomic<bool> up{false}, leave{false};
    std::string thrown;
    std::thread host([&] {
        thrown = thrown_by([&] {
            rt.run([&] {
                start_stubborn(up, leave);
                for (;;) weft::sleep_for(1ms);
            });
        });
    });
    while (!up) std::this_thread::yield();
    const bool stopped_early = rt.stop(20ms);
    const std::string left = rt.survivors();
    leave = true;
    const bool stopped = rt.stop(60s);
    host.join();
    CHECK_FALSE(stopped_early);
    CHECK_THAT(left, contains("[running]"));
    CHECK_THAT(left, contains("created by"));
    CHECK(stopped);
    CHECK_THAT(thrown, contains("stopped"));
    CHECK(rt.survivors().empty());
}
