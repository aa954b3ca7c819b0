// SPDX-License-Identifier: MIT
// park.ready, weft: two goroutines hand a token to and fro: each unparks the other and parks itself.
// Timed: one round trip, that is two park and two ready.
#include "harness.hpp"
#include <weft/parker.hpp>
#include <weft/weft.hpp>

int main() {
    weft::run(
        [] {
            weft::parker ping, pong;
            bool stop = false; // written before an unpark, read after the park that it ends
            auto partner = weft::spawn([&] {
                for (ping.park(); !stop; ping.park()) pong.unpark();
            });
            bench::ns_per_op([&](std::uint64_t n) {
                for (std::uint64_t i = 0; i < n; ++i) {
                    ping.unpark();
                    pong.park();
                }
            });
            stop = true;
            ping.unpark();
            partner.join();
        },
        {.procs = bench::procs()});
}
