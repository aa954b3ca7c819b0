// SPDX-License-Identifier: MIT
// Rows 2 to 6, 10, 13, 20 to 22, 26, 28 and 81 of the acceptance list: what Go's proc_test.go asks of a scheduler.
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <sys/prctl.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "core/getg.hpp"
#include "core/trampolines.hpp"
#include "sched/m.hpp"
#include "sched/migrate.hpp"
#include "support/catch.hpp"
#include "unit/child.hpp"
#include "unit/limits.hpp"
#include "weft/weft.hpp"

using sched_test::change_thread;
using sched_test::thread_id;

namespace {

/// Waits on the thread, not in the scheduler: whoever shall end it must run on another one.
template <class Until>
void spin(Until&& until) {
    while (!until()) std::this_thread::yield();
}

/// Lets the others run until it is so.
template <class Until>
void yield_until(Until&& until) {
    while (!until()) weft::yield();
}

/// A goroutine that polls, with yields between, sees what another one sends.
void yield_progress(int procs, bool locked) {
    weft::run(
        [&] {
            std::atomic<int> polls{0};
            std::atomic<bool> sent{false}, seen{false};
            weft::go([&] {
                if (locked) weft::this_goroutine::lock_os_thread();
                yield_until([&] {
                    polls++;
                    return sent.load();
                });
                seen = true;
            });
            yield_until([&] { return polls >= 100; });
            sent = true;
            yield_until([&] { return seen.load(); });
        },
        {.procs = procs});
    SUCCEED();
}

/// ps goroutines take turns in a fixed order, rounds times, without ever yielding.
void take_turns(std::atomic<unsigned>& turn, unsigned me, unsigned ps, unsigned rounds) {
    for (unsigned i = 0; i < rounds; i++) {
        const unsigned mine = ps * i + me;
        spin([&] { return turn == mine; });
        turn = mine + 1;
    }
}

/// Brings every m to life and leaves them idle.
void load(unsigned ps) {
    std::atomic<unsigned> running{0};
    weft::wait_group done;
    for (unsigned i = 0; i < ps; i++) {
        done.add(1);
        weft::go([&] {
            running++;
            spin([&] { return running == ps; });
            done.done();
        });
    }
    done.wait();
}

void nested_turns(unsigned ps) {
    std::atomic<unsigned> turn{0};
    weft::wait_group done;
    done.add(static_cast<int>(ps));
    for (unsigned p = 0; p < ps / 2; p++)
        weft::go([&, p] {
            for (unsigned p2 = 0; p2 < 2; p2++)
                weft::go([&, p, p2] {
                    take_turns(turn, p * 2 + p2, ps, 3);
                    done.done();
                });
        });
    done.wait();
}

} // namespace

TEST_CASE("3 TestYieldLockedProgress: a locked goroutine that yields sees what another sends") {
    yield_progress(1, true);
    yield_progress(4, true);
}

TEST_CASE("2 TestYieldProgress: a goroutine that yields sees what another sends") {
    yield_progress(1, false);
    yield_progress(4, false);
}

TEST_CASE("3 a scoped pin keeps the thread, nested and across parks, and lets it go") {
    weft::run(
        [] {
            std::vector<weft::handle<bool>> all;
            for (int i = 0; i < 4; i++)
                all.push_back(weft::spawn([] {
                    const weft::this_goroutine::pin outer;
                    const auto mine = sched_test::thread_id();
                    bool same = true;
                    for (int k = 0; k < 20; k++) {
                        const weft::this_goroutine::pin inner;
                        weft::yield();
                        weft::sleep_for(std::chrono::microseconds(50));
                        same &= sched_test::thread_id() == mine;
                    }
                    weft::yield();
                    return same && sched_test::thread_id() == mine;
                }));
            for (auto& h : all) CHECK(h.join());
        },
        {.procs = 3});
}

TEST_CASE("4 TestYieldLocked: a locked goroutine keeps its thread and may end locked") {
    for (int procs : {1, 4}) {
        int other_thread = 0;
        weft::run(
            [&] {
                weft::spawn([&] {
                    weft::this_goroutine::lock_os_thread();
                    const pid_t mine = thread_id();
                    for (int i = 0; i < 10; i++) {
                        weft::yield();
                        other_thread += thread_id() != mine;
                        weft::spawn([] { weft::yield(); }).join();
                        other_thread += thread_id() != mine;
                    }
                }).join();
            },
            {.procs = procs});
        CHECK(other_thread == 0);
    }
}

TEST_CASE("4 TestYieldLocked: nobody else runs on a locked goroutine's thread") {
    std::atomic<int> intruders{0};
    weft::run(
        [&] {
            std::atomic<pid_t> taken{0};
            weft::wait_group all;
            all.add(1);
            weft::go([&] {
                weft::this_goroutine::lock_os_thread();
                taken = thread_id();
                for (int i = 0; i < 200; i++) weft::yield();
                taken = 0;
                weft::this_goroutine::unlock_os_thread();
                all.done();
            });
            for (int i = 0; i < 4; i++) {
                all.add(1);
                weft::go([&] {
                    for (int k = 0; k < 200; k++) {
                        intruders += taken == thread_id();
                        weft::yield();
                    }
                    all.done();
                });
            }
            all.wait();
        },
        {.procs = 2});
    CHECK(intruders == 0);
}

TEST_CASE("4 TestYieldLocked: locks nest, and an unlock too many does nothing") {
    weft::run([] {
        using namespace weft::this_goroutine;
        lock_os_thread();
        lock_os_thread();
        unlock_os_thread();
        const pid_t mine = thread_id();
        for (int i = 0; i < 20; i++) {
            weft::spawn([] {}).join();
            weft::yield();
        }
        CHECK(thread_id() == mine);
        unlock_os_thread();
        unlock_os_thread();
        change_thread(); // hangs if it is still locked
    });
    SUCCEED();
}

TEST_CASE("5 TestGoroutineParallelism: as many goroutines as Ps run at the same time") {
    constexpr unsigned ps = 4;
    weft::run(
        [] {
            for (int round = 0; round < 5; round++) {
                std::atomic<unsigned> turn{0};
                weft::wait_group done;
                for (unsigned p = 0; p < ps; p++) {
                    done.add(1);
                    weft::go([&, p] {
                        take_turns(turn, p, ps, 3);
                        done.done();
                    });
                }
                done.wait();
            }
        },
        {.procs = ps});
    SUCCEED();
}

TEST_CASE("6 TestGoroutineParallelism2: the same nested, on fresh threads and on idle ones") {
    constexpr unsigned ps = 4;
    for (bool loaded : {false, true})
        weft::run(
            [&] {
                for (int round = 0; round < 5; round++) {
                    if (loaded) load(ps);
                    nested_turns(ps);
                }
            },
            {.procs = ps});
    SUCCEED();
}

TEST_CASE("13 TestNumGoroutine: one at the start, and one more for each that lives") {
    weft::run([] {
        CHECK(weft::num_goroutine() == 1);
        weft::wait_group all, go_on;
        go_on.add(1);
        for (int i = 0; i < 10; i++) {
            all.add(1);
            weft::go([&] {
                go_on.wait();
                all.done();
            });
        }
        CHECK(weft::num_goroutine() == 11);
        go_on.done();
        all.wait();
        yield_until([] { return weft::num_goroutine() == 1; });
        auto failed = weft::spawn([] { throw 1; });
        CHECK_THROWS_AS(failed.join(), int);
        CHECK(weft::num_goroutine() == 1);
    });
}

namespace {

/// The thread that the goroutine's m was made for. ThreadSanitizer does not see the runtime's own locks.
__attribute__((no_sanitize("thread"))) pid_t thread_of_m() { return weft_getg()->m->thread_id; }

// One function, so that a compiler that keeps the address of a thread-local over a call would be seen.
[[gnu::noinline]] void look_at_self_across_threads() {
    const weft::rt::g* const before = weft_getg();
    const std::uint64_t id = weft::this_goroutine::id();
    const pid_t thread = thread_id();
    for (int i = 0; i < 20; i++) {
        const pid_t from = thread_id();
        change_thread();
        if (thread_id() == from) FAIL("the thread was not changed");
        if (weft_getg() != before) FAIL("getg is that of the thread before");
        if (weft::this_goroutine::id() != id) FAIL("id() is that of the thread before");
        if (thread_of_m() != thread_id()) FAIL("m is that of the thread before");
    }
    if (thread == 0 || weft_getg() != before || weft::this_goroutine::id() != id) FAIL("after the loop");
}

} // namespace

TEST_CASE("26 TestGetgThreadSwitch: getg and id are right after every change of the thread") {
    for (int procs : {1, 4}) {
        weft::run(
            [] {
                weft::wait_group all;
                for (int i = 0; i < 4; i++) {
                    all.add(1);
                    weft::go([&] {
                        look_at_self_across_threads();
                        all.done();
                    });
                }
                look_at_self_across_threads();
                all.wait();
            },
            {.procs = procs});
    }
    SUCCEED();
}

TEST_CASE("28 TestBigGOMAXPROCS: 1024 Ps start, work and stop") {
    CHECK(weft::run([] { return weft::spawn([] { return weft::procs(); }).join(); }, {.procs = 1024}) == 1024);
}

namespace {

/// The same work on a kernel that lacks something.
template <class Without>
void big_and_small_without(Without&& without) {
    const child::ended e = child::run([&] {
        if (!without()) _exit(child::skipped);
        if (weft::run([] { return weft::spawn([] { return weft::procs(); }).join(); }, {.procs = 1024}) != 1024)
            std::puts("not 1024");
        weft::run([] { nested_turns(4); }, {.procs = 4});
        weft::run(
            [] {
                std::vector<weft::handle<void>> all;
                for (int i = 0; i < 5000; i++) all.push_back(weft::spawn([] { weft::yield(); }));
                for (auto& h : all) h.join();
            },
            {.procs = 8});
    });
    if (e.status == child::skipped) {
        WARN("skipped: this system has no seccomp filters");
        return;
    }
    CHECK(e.status == 0);
    CHECK(e.text.empty());
}

} // namespace

TEST_CASE("28 TestBigGOMAXPROCS: where the guard of a stack takes a mapping of its own") {
    big_and_small_without(limit::without_guard_regions);
}

TEST_CASE("6 TestGoroutineParallelism2: where the kernel has no membarrier") {
    big_and_small_without(limit::without_membarrier);
}

TEST_CASE("fairness: goroutines that only yield do not shut out the global queue") {
    // More than a ring holds, so that some stand in the global queue; all have to run once.
    static constexpr int count = 1000;
    std::atomic<int> arrived{0};
    weft::run(
        [&] {
            for (int i = 0; i < count; i++)
                weft::go([&arrived] {
                    arrived++;
                    yield_until([&] { return arrived == count; });
                });
            yield_until([&] { return arrived == count; });
        },
        {.procs = 1});
    SUCCEED();
}

namespace {

/// Wakes the other and waits for it, until stop. Whoever sees stop first lets the other go.
void play(weft::wait_group& mine, weft::wait_group& other, const std::atomic<bool>& stop, std::atomic<bool>& over) {
    while (!stop) {
        mine.add(1);
        other.done();
        mine.wait();
    }
    if (!over.exchange(true)) other.done();
}

} // namespace

TEST_CASE("fairness: two goroutines that ready each other do not shut out a third") {
    weft::run(
        [] {
            std::atomic<bool> third_ran{false}, over{false};
            weft::wait_group ping, pong;
            ping.add(1);
            auto first = weft::spawn([&] {
                ping.wait();
                play(ping, pong, third_ran, over);
            });
            weft::yield();
            weft::go([&] { third_ran = true; });
            auto second =
                weft::spawn([&] { play(pong, ping, third_ran, over); }); // runnext: the third waits in the ring
            first.join();
            second.join();
        },
        {.procs = 1});
    SUCCEED();
}

TEST_CASE("10 TestPreemption: two that spin take turns on one P, though neither yields") {
    std::atomic<int> turn{0};
    weft::run(
        [&] {
            auto take_turns = [&turn](int me) {
                for (int i = 0; i < 5; i++) {
                    while (turn % 2 != me) {
                    }
                    turn++;
                }
            };
            auto one = weft::spawn([&] { take_turns(0); });
            auto two = weft::spawn([&] { take_turns(1); });
            one.join();
            two.join();
        },
        {.procs = 1});
    CHECK(turn == 10);
}

TEST_CASE("20 TestLockOSThreadNesting: locks are counted, and the last unlock lets go") {
    weft::run([] {
        auto depth = [] { return weft::rt::getg()->m->locked_ext; };
        auto tied = [] { return weft::rt::getg()->lockedm != nullptr; };
        using namespace weft::this_goroutine;
        CHECK(depth() == 0);
        lock_os_thread();
        lock_os_thread();
        CHECK(depth() == 2);
        unlock_os_thread();
        CHECK(depth() == 1);
        CHECK(tied());
        unlock_os_thread();
        CHECK(depth() == 0);
        CHECK_FALSE(tied());
    });
}

TEST_CASE("21 TestLockOSThreadExit: one that ends locked to the first thread takes it along, and others move on") {
    const auto host = std::this_thread::get_id();
    int rest = 0;
    bool was_there = false;
    weft::run(
        [&] {
            // With one P the next goroutine runs on the thread that main leaves.
            weft::spawn([&] {
                was_there = std::this_thread::get_id() == host;
                weft::this_goroutine::lock_os_thread();
            }).join();
            for (int i = 0; i < 100; i++) rest += weft::spawn([] { return 1; }).join();
            CHECK(std::this_thread::get_id() != host);
        },
        {.procs = 1});
    CHECK(was_there);
    CHECK(rest == 100);
    CHECK(std::this_thread::get_id() == host);
}

TEST_CASE("22 TestLockOSThreadExit/Alt: one that ends locked ends its thread") {
    weft::run(
        [] {
            pid_t thread = 0;
            const pid_t host = thread_id(); // main's, for it is locked
            weft::this_goroutine::lock_os_thread();
            weft::spawn([&] {
                weft::this_goroutine::lock_os_thread();
                thread = thread_id();
            }).join();
            CHECK(thread != host);
            const std::string there = "/proc/self/task/" + std::to_string(thread);
            while (access(there.c_str(), F_OK) == 0) weft::sleep_for(std::chrono::milliseconds(1));
        },
        {.procs = 2});
}

TEST_CASE("81 TestLockOSThread: main begins on the thread that called run") {
    const auto host = std::this_thread::get_id();
    for (int procs : {1, 4}) weft::run([&] { CHECK(std::this_thread::get_id() == host); }, {.procs = procs});
}

namespace {

/// How many threads of the process have that name.
int threads_named(const std::string& name) {
    int count = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string comm;
        std::getline(std::ifstream(task.path() / "comm"), comm);
        count += comm == name;
    }
    return count;
}

} // namespace

TEST_CASE("23 TestLockOSThreadAvoidsStatePropagation: a thread that a goroutine may have changed is not cloned") {
    int named = 0;
    int threads = 0;
    weft::run(
        [&] {
            weft::this_goroutine::lock_os_thread();
            char before[16];
            REQUIRE(prctl(PR_GET_NAME, before) == 0);
            REQUIRE(prctl(PR_SET_NAME, "tainted") == 0); // a new thread has the name of whoever makes it
            std::atomic<int> inside{0};
            weft::wait_group all;
            for (int i = 0; i < 4; i++) {
                all.add(1);
                weft::go([&] {
                    inside++;
                    while (inside < 4)
                        std::this_thread::sleep_for(std::chrono::milliseconds(1)); // each on a thread of its own
                    all.done();
                });
            }
            all.wait();
            named = threads_named("tainted");
            threads = static_cast<int>(std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}));
            prctl(PR_SET_NAME, before);
            weft::this_goroutine::unlock_os_thread();
        },
        {.procs = 4});
    CHECK(named == 1);
    CHECK(threads >= 6); // this one, sysmon, and the four
}

TEST_CASE(
    "24 TestLockOSThreadTemplateThreadRace: threads that sysmon makes, while the world is stopped again and again") {
    for (int round = 0; round < 20; round++) {
        weft::run(
            [] {
                weft::this_goroutine::pin tied;
                weft::wait_group all;
                for (int i = 0; i < 8; i++) {
                    all.add(1);
                    weft::go([&] {
                        const weft::this_goroutine::pin tied_too;
                        weft::yield();
                        all.done();
                    });
                    weft::set_procs(1 + i % 4);
                }
                all.wait();
            },
            {.procs = 2});
    }
}
