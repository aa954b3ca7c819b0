// SPDX-License-Identifier: MIT
// spawn.join, Boost.Fiber with a pool of stacks: one fiber at a time is started and joined; it writes
// its result into the caller's variable. Timed: from the creation to the result.
#include "boost_fiber.hpp"

int main() {
    bench::run_fibers(bench::procs(), [] {
        bench::pooled_stack stacks;
        std::uint64_t sum = 0;
        bench::ns_per_op([&](std::uint64_t n) {
            for (std::uint64_t i = 0; i < n; ++i) {
                std::uint64_t result = 0;
                boost::fibers::fiber(std::allocator_arg, stacks, [&result, i] { result = i; }).join();
                sum += result;
            }
        });
        bench::keep(sum);
    });
}
