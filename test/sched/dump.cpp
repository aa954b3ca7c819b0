// SPDX-License-Identifier: MIT
// Dumps with stacks, and stopping the world for them, while goroutines do everything else.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sched/dump.hpp"
#include "sched/migrate.hpp"
#include "sched/proc.hpp"
#include "stress/limits.hpp"
#include "support/catch.hpp"
#include "unit/child.hpp"
#include "weft/weft.hpp"

using namespace std::chrono_literals;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using catch_support::contains;

namespace {

// By names of their own, and not inlined, so that they stand in dumps.
[[gnu::noinline]] void waits_in_parker(weft::parker& p) {
    p.park();
    asm volatile("" ::: "memory");
}

[[gnu::noinline]] weft::handle<void> spawns_waiter(weft::parker& p) {
    return weft::spawn([&p] { waits_in_parker(p); });
}

[[gnu::noinline]] void sleeps_long() {
    weft::sleep_for(1h);
    asm volatile("" ::: "memory");
}

[[gnu::noinline]] void joins_other(weft::handle<void>& h) {
    h.join();
    asm volatile("" ::: "memory");
}

[[gnu::noinline]] void computes(const std::atomic<bool>& done) {
    while (!done) asm volatile("");
}

/// The part of a dump that is about the goroutine whose header begins so.
std::string part_of(const std::string& dump, const std::string& header) {
    const std::size_t begin = dump.find(header);
    if (begin == std::string::npos) return {};
    return dump.substr(begin, dump.find("\n\n", begin) - begin);
}

/// Stack traces have names where the program's symbols are known.
bool shows(const std::string& part, const char* function) { return part.find(function) != std::string::npos; }

} // namespace

TEST_CASE("dump: 56 MainGoroutineID: every goroutine is there, main first, with what it waits for and its stack") {
    for (int procs : {1, 3}) {
        weft::runtime rt(weft::options{.procs = procs, .at_exit = weft::at_exit::abandon});
        std::string text;
        rt.run([&] {
            weft::parker p;
            auto parked = spawns_waiter(p);
            auto joiner = weft::spawn([&] { joins_other(parked); });
            weft::go(sleeps_long);
            for (int i = 0; i < 20; i++) weft::yield();
            weft::sleep_for(20ms);
            text = rt.dump();
            p.unpark();
            joiner.join();
        });
        INFO(text);
        CHECK_THAT(text, StartsWith("\ngoroutine 1 [running]:\n"));
        CHECK(shows(part_of(text, "[park]:\n"), "waits_in_parker"));
        CHECK(shows(part_of(text, "[join]:\n"), "joins_other"));
        CHECK(shows(part_of(text, "[sleep]:\n"), "sleeps_long"));
        CHECK(shows(part_of(text, "[park]:\n"), "created by "));
        CHECK(shows(part_of(text, "[park]:\n"), "spawns_waiter"));
    }
}

TEST_CASE("dump: what a goroutine waits for, and for how many minutes") {
    weft::runtime rt(weft::options{.procs = 1});
    std::string text;
    std::string address(32, '\0');
    rt.run([&] {
        weft::parker p;
        weft::parker late;
        address.resize(
            static_cast<std::size_t>(std::snprintf(address.data(), address.size(), "%p", static_cast<void*>(&p))));
        auto parked = spawns_waiter(p);
        auto joiner = weft::spawn([&] { joins_other(parked); });
        weft::sleep_for(1ms);
        weft::rt::getg()->m->rt->started_ns -= std::chrono::nanoseconds(3min + 1s).count();
        weft::sleep_for(30ms); // all are idle, and sysmon sleeps: whoever goes on has to set the clock
        auto parked_later = weft::spawn([&] { late.park(); });
        weft::sleep_for(1ms);
        text = rt.dump();
        p.unpark();
        late.unpark();
        joiner.join();
        parked_later.join();
    });
    INFO(text);
    CHECK_THAT(part_of(text, "goroutine 2 [park, 3 minutes]:\n"), EndsWith("\nwaits for " + address));
    CHECK_THAT(part_of(text, "goroutine 3 [join, 3 minutes]:\n"), EndsWith("\nwaits for goroutine 2"));
    CHECK_THAT(text, contains("goroutine 4 [park]:\n"));
}

TEST_CASE("dump: 13 TestNumGoroutine, 57 NoHelperGoroutines: as many goroutines as num_goroutine says") {
    weft::runtime rt(weft::options{.procs = 2});
    rt.run([&] {
        weft::wait_group gate;
        gate.add(1);
        std::vector<weft::handle<void>> all;
        for (int i = 0; i < 30; i++) all.push_back(weft::spawn([&] { gate.wait(); }));
        const std::string text = rt.dump();
        int headers = 0;
        for (std::size_t at = 0; (at = text.find("\ngoroutine ", at)) != std::string::npos; at++) headers++;
        CHECK(headers == weft::num_goroutine());
        CHECK(headers == 31);
        gate.done();
        for (auto& h : all) h.join();
    });
}

TEST_CASE("dump: 87 TestGoroutineProfile: whole while goroutines come and go") {
    weft::runtime rt(weft::options{.procs = 3});
    rt.run([&] {
        std::atomic<bool> over{false};
        std::vector<weft::handle<void>> all;
        for (int i = 0; i < 4; i++)
            all.push_back(weft::spawn([&] {
                while (!over) {
                    auto h = weft::spawn([] { weft::yield(); });
                    weft::go([] {});
                    h.join();
                }
            }));
        for (int i = 0; i < 20; i++) {
            const std::string text = rt.dump();
            INFO(text);
            CHECK_THAT(text, StartsWith("\ngoroutine 1 [running]:\n"));
            std::vector<std::string> numbers;
            for (std::size_t at = 0; (at = text.find("\ngoroutine ", at)) != std::string::npos; at++)
                numbers.push_back(text.substr(at + 11, text.find(' ', at + 11) - at - 11));
            CHECK(numbers.size() >= 5);
            std::sort(numbers.begin(), numbers.end());
            CHECK(std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end()); // nobody is there twice
        }
        over = true;
        for (auto& h : all) h.join();
    });
}

TEST_CASE("dump: names, of those that have one") {
    weft::runtime rt(weft::options{.procs = 1});
    std::string first, second;
    rt.run([&] {
        weft::parker p;
        weft::this_goroutine::set_name("the first");
        weft::spawn([] { weft::this_goroutine::set_name("gone"); }).join(); // and its descriptor is used again
        auto reader = weft::spawn([&] {
            p.park();
            weft::this_goroutine::set_name("reader");
            p.park();
        });
        weft::yield();
        first = rt.dump();
        p.unpark();
        weft::yield();
        weft::this_goroutine::set_name(nullptr);
        second = rt.dump();
        p.unpark();
        reader.join();
    });
    INFO(first << second);
    CHECK_THAT(first, StartsWith("\ngoroutine 1 [running] \"the first\":\n"));
    CHECK_THAT(first, contains(" [park]:\n"));
    CHECK_THAT(second, StartsWith("\ngoroutine 1 [running]:\n"));
    CHECK_THAT(second, contains(" [park] \"reader\":\n"));
    CHECK_THROWS_AS(weft::this_goroutine::set_name("nobody"), std::logic_error);
}

TEST_CASE(
    "dump: 11 TestPreemptionGC: from a thread of the host's, with goroutines that compute and that are runnable") {
    for (int procs : {1, 2}) {
        weft::runtime rt(weft::options{.procs = procs});
        std::atomic<int> up{0};
        std::atomic<bool> done{false};
        std::string text;
        std::thread host([&] {
            while (up < 5) std::this_thread::yield();
            text = rt.dump();
            done = true;
        });
        rt.run([&] {
            for (int i = 0; i < 2; i++)
                weft::go([&] {
                    up++;
                    computes(done);
                });
            for (int i = 0; i < 3; i++)
                weft::go([&] {
                    up++;
                    while (!done) weft::yield();
                });
            while (!done) weft::yield();
        });
        host.join();
        INFO(text);
        CHECK_THAT(text, contains("goroutine running on other thread; stack unavailable"));
        CHECK_THAT(text, contains("[runnable]:\n"));
        CHECK_THAT(text, !contains("could not be stopped"));
    }
}

TEST_CASE("dump: nothing runs, nothing is there") {
    weft::runtime rt;
    CHECK(rt.dump().empty());
    rt.run([] {});
    CHECK(rt.dump().empty());
}

TEST_CASE("world: it is stopped again and again while goroutines do everything, and nothing is lost") {
    for (int procs : {1, 2, 4}) {
        weft::runtime rt(weft::options{.procs = procs});
        std::atomic<bool> done{false};
        std::atomic<int> rounds{0}, dumps{0};
        std::thread host([&] {
            while (!done) {
                if (rt.dump(10s).find("could not be stopped") != std::string::npos) std::abort();
                dumps++;
            }
        });
        rt.run([&] {
            weft::wait_group all;
            for (int k = 0; k < 8; k++) {
                all.add(1);
                weft::go([&, k] {
                    std::mutex of_host;
                    for (int i = 0; i < 60; i++) {
                        switch ((i + k) % 7) {
                        case 0: weft::yield(); break;
                        case 1: weft::spawn([] { weft::yield(); }).join(); break;
                        case 2: weft::sleep_for(200us); break;
                        case 3: weft::blocking([] { std::this_thread::sleep_for(300us); }); break;
                        case 4: std::this_thread::sleep_for(100us); break;
                        case 5: {
                            const std::lock_guard hold(of_host);
                            weft::go([] {});
                            break;
                        }
                        case 6: {
                            const weft::this_goroutine::pin here;
                            weft::yield();
                            break;
                        }
                        }
                        rounds++;
                    }
                    all.done();
                });
            }
            all.wait();
            while (dumps < 5) weft::yield();
            done = true;
        });
        host.join();
        CHECK(rounds == 8 * 60);
        CHECK(dumps >= 5);
    }
}

TEST_CASE("world: 1 TestStopTheWorldDeadlock: stops against endless spawning come to an end") {
    for (int procs : {1, 3}) {
        weft::runtime rt(weft::options{.procs = procs});
        std::atomic<bool> done{false};
        std::atomic<int> spawned{0};
        rt.run([&] {
            for (int i = 0; i < 3; i++)
                weft::go([&] {
                    while (!done) weft::spawn([&] { spawned++; }).join();
                });
            for (int i = 0; i < 20; i++) {
                CHECK(rt.dump(10s).find("could not be stopped") == std::string::npos);
                weft::yield();
            }
            done = true;
        });
        CHECK(spawned > 0);
    }
}

TEST_CASE("world: two stop it at the same time, one of them a goroutine, and the run ends under a third") {
    for (int procs : {1, 3}) {
        weft::runtime rt(weft::options{.procs = procs});
        std::atomic<bool> done{false};
        std::vector<std::thread> hosts;
        for (int i = 0; i < 2; i++)
            hosts.emplace_back([&] {
                while (!done) rt.dump(10s);
            });
        rt.run([&] {
            auto other = weft::spawn([&] {
                for (int i = 0; i < 20; i++) {
                    rt.dump(10s);
                    weft::yield();
                }
            });
            for (int i = 0; i < 20; i++) rt.dump(10s);
            other.join();
        });
        done = true;
        for (std::thread& t : hosts) t.join();
        SUCCEED();
    }
}

TEST_CASE("dump: patience is over where a goroutine stays inside the runtime") {
    // A goroutine that holds its P inside stands for whatever keeps the world from stopping.
    weft::runtime rt(weft::options{.procs = 2});
    std::string text;
    rt.run([&] {
        std::atomic<bool> inside{false}, leave{false};
        auto stubborn = weft::spawn([&] {
            const weft::rt::entry in;
            inside = true;
            while (!leave) std::this_thread::yield();
        });
        weft::parker p;
        auto parked = weft::spawn([&] { waits_in_parker(p); });
        while (!inside) weft::yield();
        text = rt.dump(20ms);
        leave = true;
        p.unpark();
        stubborn.join();
        parked.join();
        CHECK(weft::spawn([] { return 4; }).join() == 4); // the world goes on
    });
    INFO(text);
    CHECK_THAT(text, contains("the scheduler could not be stopped; stack unavailable"));
}

TEST_CASE("dump: a deadlock's report has the stacks of those that wait") {
    const child::ended e = child::run([] {
        weft::run([] {
            weft::parker p;
            auto h = weft::spawn([&] { waits_in_parker(p); });
            joins_other(h);
        });
    });
    INFO(e.text);
    CHECK(e.status == 2);
    CHECK_THAT(e.text, StartsWith("fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [join]:\n"));
    CHECK(shows(part_of(e.text, "[join]:\n"), "joins_other"));
    CHECK(shows(part_of(e.text, "[park]:\n"), "waits_in_parker"));
}

TEST_CASE("dump: an uncaught exception's process may be asked for all: quit_signal") {
    for (int procs : {1, 2}) {
        const child::ended e = child::run([procs] {
            weft::runtime rt(weft::options{.procs = procs, .quit_signal = SIGQUIT});
            rt.run([&] {
                weft::go(sleeps_long);
                while (rt.dump().find("[sleep]:") == std::string::npos) weft::yield();
                syscall(SYS_tgkill, getpid(), sched_test::thread_id(), SIGQUIT); // ThreadSanitizer: see below
                for (;;) std::this_thread::sleep_for(1ms);
            });
        });
        INFO(e.text);
        CHECK(e.status == 2);
        CHECK_THAT(e.text, StartsWith("SIGQUIT: quit\n\ngoroutine 1 [running]:\n"));
        CHECK(shows(part_of(e.text, "[sleep]:\n"), "sleeps_long"));
    }
}

// ThreadSanitizer keeps a signal back until the thread calls something that it intercepts; one that sleeps in the
// runtime, which it does not instrument, never does.
#ifndef STRESS_TSAN
TEST_CASE("quit_signal: all asleep, and sysmon, too") {
    const child::ended e = child::run([] {
        weft::runtime rt(weft::options{.procs = 2, .quit_signal = SIGQUIT});
        rt.run([&] {
            const weft::external_waker nobody(rt);
            std::thread([] {
                std::this_thread::sleep_for(150ms);
                kill(getpid(), SIGQUIT);
            }).detach();
            weft::parker p;
            waits_in_parker(p);
        });
    });
    INFO(e.text);
    CHECK(e.status == 2);
    CHECK_THAT(e.text, StartsWith("SIGQUIT: quit\n\ngoroutine 1 [park]:\n"));
}
#endif

TEST_CASE("quit_signal: what was there before is there again; a second runtime is refused one") {
    struct sigaction before {
    }, after{};
    sigaction(SIGUSR2, nullptr, &before);
    weft::runtime first(weft::options{.quit_signal = SIGUSR2});
    first.run([&] {
        std::thread([] {
            weft::runtime second(weft::options{.quit_signal = SIGUSR1});
            try {
                second.run([] {});
                std::abort();
            } catch (const std::logic_error&) {
            }
        }).join();
    });
    sigaction(SIGUSR2, nullptr, &after);
    CHECK(before.sa_handler == after.sa_handler);
    weft::runtime(weft::options{.quit_signal = SIGUSR1}).run([] {});
    for (int bad : {SIGKILL, SIGSTOP, -1, 1000})
        CHECK_THROWS_WITH(weft::runtime(weft::options{.quit_signal = bad}),
                          contains("options::quit_signal is " + std::to_string(bad) + "; it must be"));
}

TEST_CASE("on_leak: who has not ended is named when the run ends, with its stack") {
    std::string report;
    const auto tell = [&](const std::string& r) { report = r; };
    weft::run(
        [] {
            weft::go(sleeps_long);
            weft::go([] {});
            for (int i = 0; i < 3; i++) weft::yield();
        },
        {.procs = 1, .at_exit = weft::at_exit::abandon, .on_leak = tell});
    INFO(report);
    CHECK_THAT(report, StartsWith("\ngoroutine "));
    CHECK(shows(part_of(report, "[sleep]:\n"), "sleeps_long"));
    CHECK(report.find("goroutine ") == report.rfind("goroutine "));
    report.clear();
    weft::run([] { weft::spawn([] {}).join(); }, {.at_exit = weft::at_exit::abandon, .on_leak = tell});
    CHECK(report.empty());
}
