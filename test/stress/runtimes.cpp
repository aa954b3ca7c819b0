// SPDX-License-Identifier: MIT
// Runtimes started and stopped at high rate, on several threads at once, with goroutines in every state.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "stress/seed.hpp"
#include "support/catch.hpp"
#include "weft/weft.hpp"

namespace {

/// Goroutines that never end: some yield for ever, some are parked, some locked, some not yet run.
void leave_behind(stress::random_numbers& random, weft::wait_group& never, std::atomic<int>& started) {
    const std::uint32_t n = random.below(40);
    for (std::uint32_t i = 0; i < n; i++) {
        const std::uint32_t kind = random.below(4);
        weft::go([kind, &never, &started] {
            started++;
            if (kind == 1) never.wait();
            if (kind == 2) weft::this_goroutine::lock_os_thread();
            for (;;) weft::yield();
        });
        if (random.one_in(4)) weft::yield();
    }
}

int spawn_and_join(stress::random_numbers& random) {
    std::vector<weft::handle<int>> handles;
    const std::uint32_t n = random.below(30);
    for (std::uint32_t i = 0; i < n; i++)
        handles.push_back(weft::spawn([lock = random.one_in(10)] {
            if (lock) weft::this_goroutine::lock_os_thread();
            weft::yield();
            return 1;
        }));
    int sum = 0;
    for (auto& h : handles) sum += h.join();
    return sum - static_cast<int>(n);
}

int procs_of(stress::random_numbers& random) {
    static constexpr int choices[] = {1, 2, 3, 8, 32};
    return choices[random.below(5)];
}

} // namespace

TEST_CASE("start and stop: a runtime that does little or nothing") {
    stress::for_a_while([](std::uint64_t round) {
        stress::random_numbers random(round);
        const int procs = procs_of(random);
        for (int i = 0; i < 20; i++) REQUIRE(weft::run([&] { return spawn_and_join(random); }, {.procs = procs}) == 0);
        for (int i = 0; i < 20; i++) weft::run([] {}, {.procs = procs});
    });
}

TEST_CASE("start and stop: goroutines that nobody waits for are joined") {
    stress::for_a_while([](std::uint64_t round) {
        stress::random_numbers random(round);
        std::atomic<std::uint32_t> ended{0};
        const std::uint32_t n = random.below(300);
        weft::run(
            [&] {
                for (std::uint32_t i = 0; i < n; i++)
                    weft::go([&ended, lock = random.one_in(10)] {
                        if (lock) weft::this_goroutine::lock_os_thread();
                        weft::yield();
                        ended++;
                    });
                if (random.one_in(3)) weft::this_goroutine::lock_os_thread();
            },
            {.procs = procs_of(random)});
        REQUIRE(ended == n);
    });
}

TEST_CASE("abandon under load: run returns whatever its goroutines are at") {
    stress::for_a_while([](std::uint64_t round) {
        stress::random_numbers random(round);
        weft::wait_group never;
        never.add(1);
        std::atomic<int> started{0};
        weft::run(
            [&] {
                leave_behind(random, never, started);
                if (random.one_in(2)) spawn_and_join(random);
                if (random.one_in(4)) weft::this_goroutine::lock_os_thread();
            },
            {.procs = procs_of(random), .at_exit = weft::at_exit::abandon});
        const int before = started;
        std::this_thread::yield();
        REQUIRE(started == before); // nothing of it runs any more
    });
}

namespace {

/// Goroutines that never end, in whatever keeps one: sleeping, announced and plain blocking, computing, spawning.
void leave_busy(stress::random_numbers& random) {
    using namespace std::chrono_literals;
    const std::uint32_t n = 1 + random.below(30);
    for (std::uint32_t i = 0; i < n; i++)
        weft::go([kind = random.below(6)] {
            for (;;) {
                switch (kind) {
                case 0: weft::sleep_for(20us); break;
                case 1: weft::blocking([] { std::this_thread::sleep_for(20us); }); break;
                case 2: std::this_thread::sleep_for(20us); break;
                case 3: weft::go([] { weft::yield(); }); break; // no handle: what it holds would leak
                case 4: weft::blocking_long([] { std::this_thread::sleep_for(20us); }); break;
                default: break;
                }
                weft::yield();
            }
        });
}

/// A thread of the host's that posts and attaches until the runtime takes no more.
void disturb(weft::runtime& rt, std::atomic<int>& ran) {
    try {
        for (;;) {
            rt.go([&ran] { ran++; });
            const weft::attachment attached(rt);
            weft::yield();
        }
    } catch (const std::logic_error&) {
    }
}

} // namespace

TEST_CASE("abandon under load, from outside: stop ends a run whatever its goroutines and the host's threads are at") {
    stress::for_a_while([](std::uint64_t round) {
        stress::random_numbers random(round);
        weft::runtime rt(weft::options{.procs = procs_of(random)});
        std::atomic<bool> up{false};
        std::atomic<int> ran{0};
        std::vector<std::thread> others;
        bool stopped = false;
        std::thread host([&] {
            try {
                rt.run([&] {
                    leave_busy(random);
                    up = true;
                    for (;;) weft::sleep_for(std::chrono::hours(1));
                });
            } catch (const std::runtime_error&) {
                stopped = true;
            }
        });
        while (!up) std::this_thread::yield();
        for (int i = 0; i < 2; i++) others.emplace_back([&] { disturb(rt, ran); });
        std::this_thread::sleep_for(std::chrono::microseconds(random.below(2000)));
        REQUIRE(rt.stop(std::chrono::hours(1)));
        host.join();
        for (auto& other : others) other.join();
        REQUIRE(stopped);
        const int before = ran;
        std::this_thread::yield();
        REQUIRE(ran == before);
    });
}

TEST_CASE("runtimes on several threads at once: each started and stopped again and again") {
    std::vector<std::thread> hosts;
    std::atomic<int> wrong{0};
    for (std::uint64_t host = 0; host < 4; host++)
        hosts.emplace_back([host, &wrong] {
            stress::random_numbers random(host);
            weft::runtime mine(weft::options{.procs = procs_of(random)});
            stress::for_a_while([&](std::uint64_t) { wrong += mine.run([&] { return spawn_and_join(random); }) != 0; });
        });
    for (auto& h : hosts) h.join();
    REQUIRE(wrong == 0);
}

// A handle may be used on an ordinary thread once its goroutine has finished; that thread knows nothing of
// when the runtime ends.
TEST_CASE("handles of finished goroutines are joined and dropped by a thread while their runtime ends") {
    stress::for_a_while([](std::uint64_t round) {
        stress::random_numbers random(round);
        std::vector<weft::handle<int>> handles;
        std::atomic<bool> ready{false};
        int sum = 0;
        std::thread other([&, delay = random.below(100'000)] {
            while (!ready.load(std::memory_order_acquire)) std::this_thread::yield();
            for (volatile std::uint32_t left = delay; left > 0;) left = left - 1;
            for (auto& h : handles)
                if (h.joinable()) sum += h.join();
        });
        weft::run(
            [&] {
                const std::uint32_t n = random.below(200);
                for (std::uint32_t i = 0; i < n; i++) handles.push_back(weft::spawn([] { return 1; }));
                for (auto& h : handles)
                    while (!h.finished()) weft::yield();
                ready.store(true, std::memory_order_release);
            },
            {.procs = procs_of(random)});
        other.join();
        REQUIRE(sum == static_cast<int>(handles.size()));
    });
}
