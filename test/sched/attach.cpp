// SPDX-License-Identifier: MIT
// Threads of the host's that are goroutines for a time. 88 of go-runtime's list: the rows of cgo.
#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sched/proc.hpp"
#include "sched/thrown_by.hpp"
#include "support/catch.hpp"
#include "unit/child.hpp"
#include "weft/weft.hpp"

using namespace std::chrono_literals;
using catch_support::contains;
using sched_test::thrown_by;

namespace {

/// Runs f on a thread of its own while main waits as a goroutine; rethrows nothing: f must not throw.
template <class F>
void on_thread(weft::runtime& rt, F&& f) {
    rt.run([&] {
        std::thread thread(f);
        weft::blocking_long([&] { thread.join(); });
    });
}

} // namespace

TEST_CASE("attach: a thread does all that a goroutine does") {
    for (int procs : {1, 3}) {
        weft::runtime rt(weft::options{.procs = procs});
        int joined = 0, goroutines = 0, after = 0;
        bool woken = false, same_thread = true;
        std::uint64_t id = 0;
        std::string outside;
        on_thread(rt, [&] {
            {
                const weft::attachment attached(rt);
                const auto thread = std::this_thread::get_id();
                goroutines = weft::num_goroutine();
                id = weft::this_goroutine::id();
                joined = weft::spawn([] { return 42; }).join();
                weft::sleep_for(1ms);
                weft::parker p;
                weft::go([&] { p.unpark(); });
                p.park();
                woken = true;
                weft::this_goroutine::lock_os_thread();
                weft::this_goroutine::unlock_os_thread(); // it stays tied
                for (int i = 0; i < 100; i++) {
                    weft::go([] {});
                    weft::yield();
                    same_thread = same_thread && std::this_thread::get_id() == thread;
                }
            }
            outside = thrown_by([] { weft::num_goroutine(); });
            rt.go([&] { after = 1; });
        });
        CHECK(joined == 42);
        CHECK(goroutines == 2);
        CHECK(id > 1);
        CHECK(woken);
        CHECK(same_thread);
        CHECK_THAT(outside, contains("weft:"));
        CHECK(after == 1);
    }
}

TEST_CASE("attach: 88 EnsureDropM: until the thread ends") {
    weft::runtime rt(weft::options{.procs = 2});
    rt.run([&] {
        std::atomic<int> seen{0};
        std::thread thread([&] {
            weft::attach(rt);
            weft::attach(rt);
            seen = weft::num_goroutine();
            weft::yield();
        });
        weft::blocking_long([&] { thread.join(); });
        CHECK(seen == 2);
        CHECK(weft::num_goroutine() == 1);
    });
}

TEST_CASE("attach: main's return waits for it, whatever becomes of the others") {
    for (weft::at_exit how : {weft::at_exit::join, weft::at_exit::abandon}) {
        weft::runtime rt(weft::options{.procs = 2, .at_exit = how});
        std::promise<void> up;
        std::atomic<bool> returned{false}, late{false};
        int joined = 0;
        std::thread thread;
        rt.run([&] {
            thread = std::thread([&] {
                const weft::attachment attached(rt);
                up.set_value();
                if (how == weft::at_exit::abandon) // until main has returned and the gate is closed
                    while (thrown_by([&] { rt.go([] {}); }) == "nothing") weft::sleep_for(100us);
                std::this_thread::sleep_for(5ms);
                joined = weft::spawn([] { return 7; }).join();
                late = !returned;
            });
            up.get_future().wait();
        });
        returned = true;
        thread.join();
        CHECK(late);
        CHECK(joined == 7);
    }
}

TEST_CASE("attach: stop waits for it, and then ends all others") {
    weft::runtime rt(weft::options{.procs = 2});
    std::promise<void> up, leave;
    std::thread host(
        [&] { CHECK_THAT(thrown_by([&] { rt.run([&] { weft::sleep_for(1h); }); }), contains("stopped")); });
    std::thread thread([&] {
        while (thrown_by([&] { rt.go([] {}); }) != "nothing") std::this_thread::yield();
        const weft::attachment attached(rt);
        up.set_value();
        leave.get_future().wait();
        weft::yield();
    });
    up.get_future().wait();
    CHECK_FALSE(rt.stop(10ms));
    CHECK_THAT(rt.survivors(), contains("goroutine"));
    leave.set_value();
    CHECK(rt.stop(1h));
    thread.join();
    host.join();
}

TEST_CASE("attach: what is refused") {
    weft::runtime rt(weft::options{.procs = 1, .max_threads = 4});
    CHECK_THAT(thrown_by([&] { const weft::attachment early(rt); }), contains("the runtime does not run"));
    std::string twice, too_many;
    std::string twice_by_itself;
    on_thread(rt, [&] {
        weft::attach(rt);
        twice_by_itself = thrown_by([&] { const weft::attachment again(rt); });
    });
    CHECK_THAT(twice_by_itself, contains("a goroutine already"));
    on_thread(rt, [&] {
        const weft::attachment attached(rt);
        twice = thrown_by([&] { const weft::attachment again(rt); });
        std::thread([&] { too_many = thrown_by([&] { const weft::attachment another(rt); }); }).join();
    });
    CHECK_THAT(twice, contains("a goroutine already"));
    CHECK_THAT(too_many, contains("options::max_threads is 4"));
    rt.run([&] { CHECK_THAT(thrown_by([&] { const weft::attachment own(rt); }), contains("a goroutine already")); });
}

TEST_CASE("attach: an exception that is being handled stays with the thread") {
    weft::runtime rt(weft::options{.procs = 2});
    std::string what, outer;
    on_thread(rt, [&] {
        try {
            throw std::runtime_error("before");
        } catch (...) {
            const weft::attachment attached(rt);
            auto other = weft::spawn([] {
                try {
                    throw std::runtime_error("another's");
                } catch (const std::exception&) {
                    weft::yield();
                }
            });
            try {
                throw std::runtime_error("mine");
            } catch (const std::exception& e) {
                other.join();
                weft::sleep_for(1ms);
                what = thrown_by([] { throw; });
            }
            outer = thrown_by([] { throw; });
        }
    });
    CHECK(what == "mine");
    CHECK(outer == "before");
}

TEST_CASE("attach: 88 NeedmDeadlock: no deadlock while the thread is outside, one when it parks, too") {
    std::promise<void> dead;
    std::string text;
    weft::options opts{.procs = 2};
    std::atomic<int> told{0};
    opts.on_deadlock = [&](const std::string& report) {
        text = report;
        if (told++ == 0) dead.set_value();
    };
    weft::runtime rt(opts);
    weft::parker main_parks, thread_parks;
    std::thread thread, helper;
    int early = -1;
    rt.run([&] {
        std::promise<void> up;
        thread = std::thread([&] {
            const weft::attachment attached(rt);
            up.set_value();
            std::this_thread::sleep_for(20ms); // main parks meanwhile
            early = told;
            thread_parks.park();
        });
        up.get_future().wait();
        helper = std::thread([&] {
            dead.get_future().wait();
            rt.go([&] {
                thread_parks.unpark();
                main_parks.unpark();
            });
        });
        main_parks.park();
    });
    thread.join();
    helper.join();
    CHECK(early == 0);
    CHECK(told == 1);
    CHECK_THAT(text, contains("all goroutines are asleep - deadlock!"));
    CHECK_THAT(text, contains("goroutine 1 [park]:"));
}

TEST_CASE("attach: many threads come and go, Ps are taken") {
    weft::runtime rt(weft::options{.procs = 2});
    std::atomic<int> sum{0};
    rt.run([&] {
        weft::rt::getg()->m->rt->force_retake = true;
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; t++)
            threads.emplace_back([&] {
                for (int i = 0; i < 30; i++) {
                    const weft::attachment attached(rt);
                    sum += weft::spawn([] { return 1; }).join();
                    weft::yield();
                    if (i % 4 == 0) weft::sleep_for(50us);
                }
            });
        weft::blocking_long([&] {
            for (auto& thread : threads) thread.join();
        });
        CHECK(weft::num_goroutine() == 1);
    });
    CHECK(sum == 120);
}

TEST_CASE("attach: it ends without a P while the goroutine that has the last one wants the gate") {
    // Two come and go while main posts again and again; max_threads has room for little more than they need.
    for (int round = 0; round < 20; round++) {
        weft::runtime rt(weft::options{.procs = 1, .max_threads = 12});
        std::atomic<int> ran{0};
        rt.run([&] {
            std::atomic<int> gone{0};
            std::vector<std::thread> threads;
            for (int t = 0; t < 2; t++)
                threads.emplace_back([&] {
                    for (int i = 0; i < 20;) {
                        try {
                            const weft::attachment attached(rt);
                            if (i++ % 2 == 0) weft::go([&] { ran++; });
                        } catch (const std::runtime_error&) { // sysmon needs the threads just now
                            std::this_thread::yield();
                        }
                    }
                    gone++;
                });
            while (gone < 2) {
                rt.go([] {});
                weft::yield();
            }
            for (auto& thread : threads) thread.join();
        });
        CHECK(ran == 40 - 20);
    }
}

TEST_CASE("fatal: an attachment that ends on another thread") {
    const child::ended e = child::run([] {
        weft::runtime rt(weft::options{.procs = 1});
        rt.run([&] {
            std::optional<weft::attachment> attached;
            std::thread([&] { attached.emplace(rt); }).join();
            attached.reset();
        });
    });
    CHECK(e.status == 2);
    CHECK(e.text == "fatal error: weft: an attachment must end on the thread that made it\n");
}
