// SPDX-License-Identifier: MIT
// The number of Ps changes all the time, while goroutines spawn, yield, sleep, park and join.
#include <atomic>
#include <chrono>
#include <cstdint>

#include "stress/seed.hpp"
#include "support/catch.hpp"
#include "weft/weft.hpp"

using namespace stress;

namespace {

/// Two goroutines that ready each other, so many times.
void ping_pong(int times) {
    weft::parker here;
    weft::parker there;
    auto other = weft::spawn([&] {
        for (int i = 0; i < times; i++) {
            there.park();
            here.unpark();
        }
    });
    for (int i = 0; i < times; i++) {
        there.unpark();
        here.park();
    }
    other.join();
}

/// A tree of goroutines that spawn, yield, sleep and join; returns its leaves.
int tree(int depth, std::uint64_t stream) {
    if (depth == 0) {
        random_numbers random(stream);
        if (random.one_in(7)) weft::sleep_for(std::chrono::microseconds(random.below(500)));
        return 1;
    }
    auto left = weft::spawn([=] { return tree(depth - 1, 2 * stream); });
    weft::yield();
    const int right = tree(depth - 1, 2 * stream + 1);
    return left.join() + right;
}

} // namespace

TEST_CASE("set_procs at random: nobody and no timer is lost") {
    weft::run(
        [] {
            std::atomic<bool> stop{false};
            auto changes = weft::spawn([&] {
                random_numbers random(0);
                while (!stop) {
                    weft::set_procs(static_cast<int>(1 + random.below(9)));
                    if (random.one_in(3)) weft::sleep_for(std::chrono::microseconds(random.below(300)));
                }
            });
            for_a_while([](std::uint64_t round) {
                auto leaves = weft::spawn([round] { return tree(6, (round + 1) << 8); });
                ping_pong(50);
                REQUIRE(leaves.join() == 64);
            });
            stop = true;
            changes.join();
            CHECK(weft::num_goroutine() == 1);
        },
        weft::options{.procs = 4});
}
