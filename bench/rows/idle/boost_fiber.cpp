// SPDX-License-Identifier: MIT
// idle, Boost.Fiber: a fiber sleeps for an hour, with work_stealing.
// Measured from outside, from the first second on: wake-ups of all threads, and CPU time.
#include <chrono>

#include "boost_fiber.hpp"

int main() {
    bench::run_fibers(bench::procs(), [] { boost::this_fiber::sleep_for(std::chrono::hours(1)); });
}
