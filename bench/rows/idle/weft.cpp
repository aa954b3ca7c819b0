// SPDX-License-Identifier: MIT
// idle, weft: a goroutine is parked, and the main goroutine sleeps for an hour.
// Measured from outside, from the first second on: wake-ups of all threads, and CPU time.
#include <chrono>

#include "harness.hpp"
#include <weft/weft.hpp>

int main() {
    weft::run(
        [] {
            weft::parker p;
            auto parked = weft::spawn([&p] { p.park(); });
            weft::sleep_for(std::chrono::hours(1));
            p.unpark();
            parked.join();
        },
        {.procs = bench::procs()});
}
