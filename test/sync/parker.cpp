// SPDX-License-Identifier: MIT
// weft::parker: one permit, taken once, however park and unpark meet.
#include <atomic>
#include <stdexcept>
#include <vector>

#include "support/catch.hpp"
#include "weft/weft.hpp"

namespace {

weft::options with_procs(int procs) {
    weft::options o;
    o.procs = procs;
    return o;
}

} // namespace

TEST_CASE("parker: a permit that came first is taken, and is one, however often it was given") {
    const int parked_again = weft::run([] {
        weft::parker p;
        p.unpark();
        p.unpark();
        p.park();
        bool woken = false;
        auto h = weft::spawn([&] {
            woken = true;
            p.unpark();
        });
        p.park(); // must wait: two unparks made one permit
        const int result = woken ? 1 : 0;
        h.join();
        return result;
    });
    CHECK(parked_again == 1);
}

TEST_CASE("parker: ping-pong on 1, 2 and 4 Ps loses nothing") {
    for (int procs : {1, 2, 4}) {
        long count = 0;
        weft::run(
            [&] {
                weft::parker ping;
                weft::parker pong;
                constexpr int rounds = 5000;
                auto h = weft::spawn([&] {
                    for (int i = 0; i < rounds; i++) {
                        ping.park();
                        count++;
                        pong.unpark();
                    }
                });
                for (int i = 0; i < rounds; i++) {
                    ping.unpark();
                    pong.park();
                    count++;
                }
                h.join();
            },
            with_procs(procs));
        CHECK(count == 10000);
    }
}

TEST_CASE("parker: what was written before any unpark is seen after park") {
    // Two unparkers set their flag and unpark; the parker parks until it has seen both.
    for (int round = 0; round < 300; round++) {
        weft::run(
            [] {
                weft::parker p;
                std::atomic<int> first{0};
                std::atomic<int> second{0};
                auto a = weft::spawn([&] {
                    first.store(1, std::memory_order_relaxed);
                    p.unpark();
                });
                auto b = weft::spawn([&] {
                    second.store(1, std::memory_order_relaxed);
                    p.unpark();
                });
                while (first.load(std::memory_order_relaxed) == 0 || second.load(std::memory_order_relaxed) == 0)
                    p.park();
                a.join();
                b.join();
            },
            with_procs(4));
    }
    SUCCEED();
}

TEST_CASE("parker: only goroutines park and unpark") {
    weft::parker p;
    CHECK_THROWS_AS(p.park(), std::logic_error);
    CHECK_THROWS_AS(p.unpark(), std::logic_error);
}
