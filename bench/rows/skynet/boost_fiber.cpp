// SPDX-License-Identifier: MIT
// skynet, Boost.Fiber with 16 KiB stacks: each fiber starts ten, which write their results into its
// frame, and joins them; the leaves write their numbers.
// Timed: one whole tree of 1,000,000 leaves, and the peak memory.
#include "boost_fiber.hpp"

namespace {

void tree(std::uint64_t* result, std::uint64_t first, std::uint64_t leaves) {
    if (leaves == 1) {
        *result = first;
        return;
    }
    boost::fibers::fiber children[10];
    std::uint64_t results[10];
    for (std::uint64_t i = 0; i < 10; ++i)
        children[i] = boost::fibers::fiber(std::allocator_arg, boost::fibers::fixedsize_stack(16 * 1024), tree,
                                           &results[i], first + i * (leaves / 10), leaves / 10);
    std::uint64_t sum = 0;
    for (int i = 0; i < 10; ++i) {
        children[i].join();
        sum += results[i];
    }
    *result = sum;
}

} // namespace

int main() {
    const std::uint64_t leaves = bench::quick() ? 100'000 : 1'000'000;
    bench::run_fibers(bench::procs(), [leaves] {
        std::uint64_t sum = 0;
        const std::uint64_t before = bench::now_ns();
        boost::fibers::fiber(std::allocator_arg, boost::fibers::fixedsize_stack(16 * 1024), tree, &sum, 0, leaves)
            .join();
        const std::uint64_t took = bench::now_ns() - before;
        if (sum != leaves * (leaves - 1) / 2) bench::fail("wrong sum");
        bench::result(static_cast<double>(took) / 1e9, bench::quick() ? "s/100k" : "s");
        bench::result(bench_peak_mb(), bench::quick() ? "MB/100k" : "MB", "rss");
    });
}
