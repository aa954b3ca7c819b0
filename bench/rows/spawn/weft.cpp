// SPDX-License-Identifier: MIT
// spawn, weft: batches of 1,000 goroutines that only count themselves done, and a wait for all of them.
// Timed: one goroutine: go, run, exit, and its share of the wait.
#include "harness.hpp"
#include <weft/weft.hpp>

int main() {
    weft::run(
        [] {
            bench::ns_per_op([](std::uint64_t n) {
                std::uint64_t done = 0;
                for (; done < n; done += 1000) {
                    weft::wait_group all;
                    all.add(1000);
                    for (int i = 0; i < 1000; ++i) weft::go([&all] { all.done(); });
                    all.wait();
                }
                return done;
            });
        },
        {.procs = bench::procs()});
}
