// SPDX-License-Identifier: MIT
// blocking(): goroutines that block their thread, and the others that go on.
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <unistd.h>

#include "sched/migrate.hpp"
#include "sched/pipe_ends.hpp"
#include "support/catch.hpp"
#include "weft/weft.hpp"

using namespace std::chrono_literals;
using sched_test::pipe_ends;

namespace {

/// errno's address is a thread's, and compilers keep it across calls that may change the thread.
[[gnu::noinline]] int errno_now() { return errno; }

} // namespace

TEST_CASE("blocking: with one P, others go on while a goroutine waits in read()") {
    const pipe_ends p;
    const char got = weft::run(
        [&] {
            auto reader = weft::spawn([&] { return weft::blocking([&] { return p.read_one(); }); });
            weft::yield(); // it stands in read() now, and the P is ours again
            for (int i = 0; i < 1000; i++) weft::spawn([] {}).join();
            CHECK_FALSE(reader.finished());
            p.write_one('x');
            return reader.join();
        },
        {.procs = 1});
    CHECK(got == 'x');
}

TEST_CASE("blocking: two goroutines that only unblock each other, on one P") {
    const pipe_ends there, back;
    weft::run(
        [&] {
            auto echo = weft::spawn([&] {
                for (int i = 0; i < 200; i++) back.write_one(weft::blocking([&] { return there.read_one(); }));
            });
            for (int i = 0; i < 200; i++) {
                const char sent = static_cast<char>('a' + i % 26);
                there.write_one(sent);
                if (weft::blocking([&] { return back.read_one(); }) != sent) FAIL("number " << i);
            }
            echo.join();
        },
        {.procs = 1});
}

TEST_CASE("blocking: values, references, arguments and exceptions pass") {
    for (int procs : {1, 3})
        weft::run(
            [] {
                int there = 5;
                CHECK(weft::blocking([](int a, int b) { return a + b; }, 2, 3) == 5);
                CHECK(&weft::blocking([&]() -> int& { return there; }) == &there);
                weft::blocking([&] { there = 6; });
                CHECK(there == 6);
                CHECK_THROWS_WITH(weft::blocking([] { throw std::runtime_error("as it was"); }), "as it was");
            },
            {.procs = procs});
}

TEST_CASE("blocking: errno is as the function left it, on whatever thread the goroutine continues") {
    weft::run(
        [] {
            std::vector<weft::handle<int>> all;
            for (int who = 1; who <= 8; who++)
                all.push_back(weft::spawn([who] {
                    int wrong = 0;
                    for (int i = 0; i < 200; i++) {
                        weft::blocking([&] {
                            std::this_thread::yield();
                            errno = who;
                        });
                        wrong += errno_now() != who;
                    }
                    return wrong;
                }));
            for (auto& h : all) CHECK(h.join() == 0);
        },
        {.procs = 2});
}

TEST_CASE("blocking: fifty sleepers sleep at the same time") {
    const auto before = std::chrono::steady_clock::now();
    std::atomic<int> asleep{0}, most{0};
    weft::run(
        [&] {
            for (int i = 0; i < 50; i++)
                weft::go([&] {
                    weft::blocking([&] {
                        asleep++;
                        while (asleep < 50 && most < 50) std::this_thread::sleep_for(1ms);
                        most = 50;
                    });
                });
        },
        {.procs = 2});
    CHECK(asleep == 50);
    CHECK(std::chrono::steady_clock::now() - before < 60s); // else they waited for each other: a hang, not a measure
}

TEST_CASE("blocking: a locked goroutine keeps its thread") {
    for (int procs : {1, 2})
        weft::run(
            [] {
                weft::spawn([] {
                    weft::this_goroutine::lock_os_thread();
                    const pid_t mine = sched_test::thread_id();
                    for (int i = 0; i < 100; i++) {
                        weft::go([] {});
                        if (weft::blocking(&sched_test::thread_id) != mine) FAIL("another thread inside");
                        if (sched_test::thread_id() != mine) FAIL("another thread afterwards");
                    }
                    weft::this_goroutine::unlock_os_thread();
                }).join();
            },
            {.procs = procs});
}

TEST_CASE("blocking: weft refuses to be called inside, by name") {
    weft::run([] {
        weft::parker p;
        weft::blocking([&] {
            using catch_support::contains;
            CHECK_THROWS_WITH(weft::yield(), contains("inside weft::blocking()"));
            CHECK_THROWS_WITH(weft::go([] {}), contains("inside weft::blocking()"));
            CHECK_THROWS_WITH(p.park(), contains("inside weft::blocking()"));
            CHECK_THROWS_WITH(p.unpark(), contains("inside weft::blocking()"));
            CHECK(weft::this_goroutine::id() == 1);
            CHECK(weft::blocking([] { return 7; }) == 7);
        });
        weft::yield();
    });
}

TEST_CASE("blocking: off a goroutine it is a plain call") {
    CHECK(weft::blocking([](int a) { return a + 1; }, 1) == 2);
}

TEST_CASE("blocking: at_exit::abandon: run waits for the function, and nothing after it runs") {
    std::atomic<bool> inside{false}, returned{false}, went_on{false};
    weft::run(
        [&] {
            weft::go([&] {
                weft::blocking([&] {
                    inside = true;
                    std::this_thread::sleep_for(20ms);
                    returned = true;
                });
                went_on = true;
            });
            while (!inside) weft::yield();
        },
        {.procs = 1, .at_exit = weft::at_exit::abandon});
    CHECK(returned);
    CHECK_FALSE(went_on);
}

TEST_CASE("blocking: at_exit::join: main's end waits for a goroutine that is inside") {
    std::atomic<bool> went_on{false};
    weft::run(
        [&] {
            weft::go([&] {
                weft::blocking([] { std::this_thread::sleep_for(20ms); });
                went_on = true;
            });
            weft::yield();
        },
        {.procs = 1});
    CHECK(went_on);
}

TEST_CASE("blocking: an exception on its way keeps its goroutine while that changes threads") {
    weft::run(
        [] {
            struct on_the_way {
                ~on_the_way() {
                    weft::blocking([] { std::this_thread::yield(); });
                    sched_test::change_thread();
                }
            };
            std::vector<weft::handle<int>> all;
            for (int i = 0; i < 8; i++)
                all.push_back(weft::spawn([i] {
                    try {
                        const on_the_way here;
                        throw i;
                    } catch (int thrown) {
                        weft::blocking([] { std::this_thread::yield(); });
                        return thrown + std::uncaught_exceptions();
                    }
                }));
            for (int i = 0; i < 8; i++) CHECK(all[static_cast<std::size_t>(i)].join() == i);
        },
        {.procs = 3});
}
