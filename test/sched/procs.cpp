// SPDX-License-Identifier: MIT
// The number of Ps changes while goroutines do everything else.
#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "weft/weft.hpp"

using namespace std::chrono_literals;
using catch_support::contains;

TEST_CASE("set_procs: it returns the old number, and refuses numbers that make no sense") {
    weft::runtime rt(weft::options{.procs = 2});
    CHECK(rt.set_procs(3) == 2);
    CHECK(rt.procs() == 3);
    rt.run([&] {
        CHECK(weft::procs() == 3);
        CHECK(weft::set_procs(1) == 3);
        CHECK(weft::procs() == 1);
        CHECK(rt.procs() == 1);
        CHECK(rt.set_procs(weft::max_procs) == 1);
        CHECK(weft::set_procs(2) == weft::max_procs);
        CHECK(weft::set_procs(2) == 2);
        for (int bad : {-1, weft::max_procs + 1}) {
            try {
                weft::set_procs(bad);
                FAIL("set_procs(" << bad << ") was not refused");
            } catch (const std::invalid_argument& e) {
                CHECK_THAT(e.what(), contains("weft: the number for set_procs is " + std::to_string(bad)));
            }
        }
        CHECK(weft::procs() == 2);
        weft::set_procs(0);
        CHECK(weft::procs() == weft::runtime().procs());
        weft::set_procs(5);
    });
    CHECK(rt.procs() == 5);
    rt.run([] { CHECK(weft::procs() == 5); });
    CHECK_THROWS_AS(weft::set_procs(1), std::logic_error);
}

TEST_CASE("set_procs: nobody is lost when Ps go out of use, whatever they had") {
    constexpr int sleepers = 200;
    constexpr int queued = 2000; // more than a ring holds
    for (int to : {1, 2}) {
        std::atomic<int> woken{0};
        std::atomic<int> ran{0};
        weft::run(
            [&] {
                std::vector<weft::handle<void>> all;
                for (int i = 0; i < sleepers; i++)
                    all.push_back(weft::spawn([&, i] {
                        weft::sleep_for(std::chrono::microseconds(200 * i));
                        woken++;
                    }));
                for (int i = 0; i < queued; i++)
                    all.push_back(weft::spawn([&] {
                        weft::yield();
                        ran++;
                    }));
                weft::set_procs(to);
                CHECK(weft::num_goroutine() >= 1);
                for (auto& h : all) h.join();
                CHECK(weft::num_goroutine() == 1);
            },
            weft::options{.procs = 8});
        CHECK(woken == sleepers);
        CHECK(ran == queued);
    }
}

TEST_CASE("set_procs: timers of a P that went out of use can be stopped and moved") {
    weft::run(
        [] {
            std::atomic<int> fired{0};
            std::vector<std::unique_ptr<weft::timer>> timers;
            weft::wait_group made;
            constexpr int each = 50;
            timers.resize(4 * each);
            for (int w = 0; w < 4; w++) {
                made.add(1);
                weft::go([&, w] {
                    for (int i = 0; i < each; i++) {
                        const auto at = static_cast<std::size_t>(w * each + i);
                        timers[at] = std::make_unique<weft::timer>(1h, [&] { fired++; });
                        if (i % 5 == 0) weft::yield();
                    }
                    made.done();
                });
            }
            made.wait();
            weft::set_procs(1);
            int stopped = 0;
            for (std::size_t i = 0; i < timers.size(); i++) {
                if (i % 2 == 0)
                    stopped += timers[i]->stop();
                else
                    CHECK(timers[i]->reset(1ms));
            }
            CHECK(stopped == 2 * each);
            while (fired < 2 * each) weft::sleep_for(1ms);
            weft::set_procs(4);
            weft::sleep_for(5ms);
            CHECK(fired == 2 * each);
        },
        weft::options{.procs = 4});
}

TEST_CASE("set_procs: from a thread of the host's, while a goroutine computes and another blocks") {
    weft::runtime rt(weft::options{.procs = 2});
    std::atomic<bool> done{false};
    std::atomic<int> ticks{0};
    std::thread host;
    rt.run([&] {
        auto computes = weft::spawn([&] {
            while (!done) asm volatile("");
        });
        auto blocks = weft::spawn([&] {
            while (!done) std::this_thread::sleep_for(2ms);
        });
        host = std::thread([&] {
            for (int n : {1, 4, 1, 3, 2, 1}) {
                rt.set_procs(n);
                const int before = ticks;
                while (ticks < before + 3) std::this_thread::sleep_for(1ms);
            }
            done = true;
        });
        while (!done) {
            weft::sleep_for(1ms);
            ticks++;
        }
        computes.join();
        blocks.join();
        CHECK(weft::procs() == 1);
    });
    host.join();
}

TEST_CASE("set_procs: 1 TestStopTheWorldDeadlock: it comes through against endless spawning") {
    std::atomic<bool> stop{false};
    weft::run(
        [&] {
            auto changes = weft::spawn([&] {
                for (int i = 0; i < 100; i++) weft::set_procs(1 + i % 3);
                stop = true;
            });
            while (!stop) {
                weft::spawn([] {}).join();
                weft::yield();
            }
            changes.join();
        },
        weft::options{.procs = 3});
}

TEST_CASE("set_procs: with a bound of threads it takes no P that could not be run again") {
    // The goroutine that computes keeps a thread; no other could be made for its P.
    weft::runtime rt(weft::options{.procs = 1, .max_threads = 3});
    std::atomic<bool> done{false};
    rt.run([&] {
        CHECK(weft::set_procs(2) == 1);
        auto computes = weft::spawn([&] {
            while (!done) weft::yield();
        });
        CHECK(weft::set_procs(1) == 2);
        for (int i = 0; i < 100; i++) weft::yield();
        done = true;
        computes.join();
    });
}
