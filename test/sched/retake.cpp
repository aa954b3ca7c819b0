// SPDX-License-Identifier: MIT
// Goroutines that block or compute without telling anybody, and the others that go on.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "sched/migrate.hpp"
#include "sched/pipe_ends.hpp"
#include "sched/proc.hpp"
#include "support/catch.hpp"
#include "weft/weft.hpp"

using namespace std::chrono_literals;
using sched_test::pipe_ends;
using sched_test::thread_id;

namespace {

void compute_until(const std::atomic<bool>& done) {
    while (!done.load(std::memory_order_relaxed)) {
    }
}

void compute_for(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
    }
}

int threads_of_process() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (word == "Threads:") {
            int n = 0;
            status >> n;
            return n;
        }
    return 0;
}

} // namespace

TEST_CASE("retake: with one P, a reader of an empty pipe and an endless loop leave a third its ticks") {
    const pipe_ends p;
    std::atomic<bool> done{false};
    int ticks = 0;
    char got = 0;
    weft::run(
        [&] {
            weft::go([&] { got = p.read_one(); });
            weft::go([&] { compute_until(done); });
            for (; ticks < 20; ticks++) std::this_thread::sleep_for(20ms); // it tells nobody, either
            for (int i = 0; i < 1000; i++) weft::yield();
            done = true;
            p.write_one('x');
        },
        {.procs = 1});
    CHECK(ticks == 20);
    CHECK(got == 'x');
}

TEST_CASE("retake: 12 TestAsyncPreempt, by other means: endless loops, as many as Ps, do not stop the others") {
    for (int procs : {1, 2, 4}) {
        std::atomic<bool> done{false};
        std::atomic<int> ran{0};
        weft::run(
            [&] {
                for (int i = 0; i < procs; i++) weft::go([&] { compute_until(done); });
                weft::yield();
                for (int i = 0; i < 100; i++) weft::spawn([&] { ran++; }).join();
                done = true;
            },
            {.procs = procs});
        CHECK(ran == 100);
    }
}

TEST_CASE("retake: 25 TestPreemptionAfterSyscall: loops of system calls do not keep the P") {
    for (auto pause : {10us, 100us, 1000us}) {
        std::atomic<bool> done{false};
        int ran = 0;
        weft::run(
            [&] {
                weft::go([&] {
                    while (!done) weft::blocking([&] { std::this_thread::sleep_for(pause); });
                });
                weft::go([&] {
                    while (!done) std::this_thread::sleep_for(pause);
                });
                for (; ran < 50; ran++) weft::yield();
                done = true;
            },
            {.procs = 1});
        CHECK(ran == 50);
    }
}

TEST_CASE("retake: a thousand goroutines sleep at the same time, on two Ps, without telling") {
    constexpr int sleepers = 1000;
    const auto before = std::chrono::steady_clock::now();
    std::atomic<int> slept{0};
    weft::run(
        [&] {
            for (int i = 0; i < sleepers; i++)
                weft::go([&] {
                    std::this_thread::sleep_for(1s);
                    slept++;
                });
        },
        {.procs = 2});
    CHECK(slept == sleepers);
    // One after the other on two Ps it would be 500 s.
    const auto took = std::chrono::steady_clock::now() - before;
    CHECK(took < 60s);
    INFO("took " << std::chrono::duration<double>(took).count() << " s");
}

TEST_CASE("retake: the number of threads stays within options::max_threads") {
    std::atomic<int> slept{0}, most{0};
    weft::run(
        [&] {
            for (int i = 0; i < 200; i++)
                weft::go([&] {
                    std::this_thread::sleep_for(20ms);
                    int now = threads_of_process();
                    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
                    }
                    slept++;
                });
        },
        {.procs = 2, .max_threads = 12});
    CHECK(slept == 200);
    CHECK(most <= 12);
    CHECK(most > 4);
}

TEST_CASE("retake: who has lost its P keeps its thread, also while it waits for another P") {
    weft::run(
        [] {
            std::vector<weft::handle<bool>> all;
            for (int i = 0; i < 4; i++)
                all.push_back(weft::spawn([&] {
                    bool same = true;
                    for (int k = 0; k < 5; k++) {
                        const pid_t mine = thread_id();
                        compute_for(25ms);
                        weft::go([] {}); // parks nobody, whatever has become of the P
                        same &= thread_id() == mine;
                    }
                    return same;
                }));
            for (auto& h : all) CHECK(h.join());
        },
        {.procs = 1});
}

TEST_CASE("retake: a goroutine that ends without its P ends as any other") {
    for (int procs : {1, 2}) {
        std::atomic<int> ended{0};
        weft::run(
            [&] {
                std::vector<weft::handle<int>> all;
                for (int i = 0; i < 10; i++)
                    all.push_back(weft::spawn([&ended, i] {
                        std::this_thread::sleep_for(15ms);
                        ended++;
                        return i;
                    }));
                weft::go([&] {
                    std::this_thread::sleep_for(15ms);
                    ended++;
                });
                for (int i = 0; i < 10; i++) CHECK(all[static_cast<std::size_t>(i)].join() == i);
            },
            {.procs = procs});
        CHECK(ended == 11);
    }
}

TEST_CASE("retake: an exception thrown without a P, and caught by the joiner") {
    weft::run(
        [] {
            auto h = weft::spawn([]() -> int {
                std::this_thread::sleep_for(30ms);
                throw std::runtime_error("late");
            });
            weft::go([] { std::this_thread::sleep_for(30ms); });
            CHECK_THROWS_WITH(h.join(), "late");
        },
        {.procs = 1});
}

TEST_CASE("retake: at_exit::abandon waits for code that runs without a P, and nothing after its next call runs") {
    std::atomic<bool> inside{false}, returned{false}, went_on{false};
    weft::run(
        [&] {
            weft::go([&] {
                inside = true;
                std::this_thread::sleep_for(50ms);
                returned = true;
                weft::yield();
                went_on = true;
            });
            while (!inside) weft::yield();
        },
        {.procs = 1, .at_exit = weft::at_exit::abandon});
    CHECK(returned);
    CHECK_FALSE(went_on);
}

TEST_CASE("retake: locked goroutines lose their P, too") {
    weft::run(
        [] {
            auto locked = weft::spawn([] {
                weft::this_goroutine::lock_os_thread();
                const pid_t mine = thread_id();
                bool same = true;
                for (int i = 0; i < 5; i++) {
                    compute_for(25ms);
                    weft::yield();
                    std::this_thread::sleep_for(5ms);
                    weft::go([] {});
                    same &= thread_id() == mine;
                }
                weft::this_goroutine::unlock_os_thread();
                return same;
            });
            for (int i = 0; i < 50; i++) weft::spawn([] { std::this_thread::sleep_for(1ms); }).join();
            CHECK(locked.join());
        },
        {.procs = 1});
}

namespace {

/// By a name of its own: without debug information, a lambda inside run() goes by the library's.
[[gnu::noinline]] void spawn_hog(std::uint64_t& id) {
    weft::spawn([&id] {
        id = weft::this_goroutine::id();
        compute_for(200ms);
    }).join();
}

} // namespace

TEST_CASE("stall: a goroutine that computes for long is named, once, with the place where it was spawned") {
    std::atomic<int> told{0};
    std::atomic<std::uint64_t> who{0};
    std::string created_by;
    weft::options opts{.procs = 1};
    opts.stall_threshold = 15ms;
    opts.on_stall = [&](const weft::stall_report& r) {
        if (told++ > 0) return;
        who = r.goroutine;
        created_by = r.created_by;
    };
    std::uint64_t its_id = 0;
    weft::runtime rt(opts);
    rt.run([&] { spawn_hog(its_id); });
    CHECK(told == 1);
    CHECK(who == its_id);
    CHECK_THAT(created_by, catch_support::contains("created by"));
}

TEST_CASE("stall: nobody is named who yields, and nothing at all unless asked for") {
    std::atomic<int> told{0};
    weft::options opts{.procs = 2};
    opts.on_stall = [&](const weft::stall_report&) { told++; };
    weft::runtime(opts).run([] { compute_for(50ms); });
    CHECK(told == 0);
    opts.stall_threshold = 1s;
    weft::runtime(opts).run([] {
        const auto end = std::chrono::steady_clock::now() + 50ms;
        while (std::chrono::steady_clock::now() < end) weft::yield();
    });
    CHECK(told == 0);
}

TEST_CASE("retake: no P is taken where an idle one would be left without a thread") {
    // The third thread idles with the second P. Were it given main's, nobody could be had to run what main spawns.
    weft::run(
        [] {
            weft::rt::getg()->m->rt->force_retake = true;
            const auto until = std::chrono::steady_clock::now() + 200ms;
            while (std::chrono::steady_clock::now() < until) {
                weft::spawn([] {}).join();
                std::this_thread::sleep_for(100us);
            }
        },
        {.procs = 2, .max_threads = 3});
}
