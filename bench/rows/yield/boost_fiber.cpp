// SPDX-License-Identifier: MIT
// yield, Boost.Fiber: N fibers, the measuring one among them, do nothing but this_fiber::yield() on one
// thread with round_robin. Argument: N. Timed: one yield, of whichever fiber; they are counted in a
// variable common to all.
#include <vector>

#include <boost/fiber/all.hpp>

#include "harness.hpp"

int main(int argc, char** argv) {
    const std::uint64_t number = bench_argument(argc, argv, 1, 2);
    static std::uint64_t yields;
    static bool stop;
    std::vector<boost::fibers::fiber> fibers;
    for (std::uint64_t i = 1; i < number; ++i)
        fibers.emplace_back(std::allocator_arg, boost::fibers::fixedsize_stack(64 * 1024), [] {
            while (!stop) {
                ++yields;
                boost::this_fiber::yield();
            }
        });
    boost::this_fiber::yield();
    bench::ns_per_op([](std::uint64_t n) {
        const std::uint64_t before = yields;
        while (yields - before < n) {
            ++yields;
            boost::this_fiber::yield();
        }
        return yields - before;
    });
    stop = true;
    for (auto& f : fibers) f.join();
}
