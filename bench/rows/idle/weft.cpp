// SPDX-License-Identifier: MIT
// idle, weft: a goroutine is parked, and the main goroutine sleeps for an hour in blocking(), since weft has no
// timers yet (then: the main goroutine sleeps, as in Go).
// Measured from outside, from the first second on: wake-ups of all threads, and CPU time.
#include <chrono>
#include <thread>

#include "harness.hpp"
#include <weft/weft.hpp>

int main() {
    weft::run(
        [] {
            weft::parker p;
            auto parked = weft::spawn([&p] { p.park(); });
            weft::blocking([] { std::this_thread::sleep_for(std::chrono::hours(1)); });
            p.unpark();
            parked.join();
        },
        {.procs = bench::procs()});
}
