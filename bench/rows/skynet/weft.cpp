// SPDX-License-Identifier: MIT
// skynet, weft: each goroutine starts ten and joins them for the sum of their results; the leaves return
// their numbers. Timed: one whole tree of 1,000,000 leaves (1,111,111 goroutines), and the peak memory.
#include "harness.hpp"
#include <weft/weft.hpp>

namespace {

std::uint64_t tree(std::uint64_t first, std::uint64_t leaves) {
    if (leaves == 1) return first;
    weft::handle<std::uint64_t> children[10];
    for (std::uint64_t i = 0; i < 10; ++i) children[i] = weft::spawn(&tree, first + i * (leaves / 10), leaves / 10);
    std::uint64_t sum = 0;
    for (auto& child : children) sum += child.join();
    return sum;
}

} // namespace

int main() {
    const std::uint64_t leaves = bench::quick() ? 100'000 : 1'000'000;
    weft::run(
        [leaves] {
            const std::uint64_t before = bench::now_ns();
            const std::uint64_t sum = weft::spawn(&tree, std::uint64_t{0}, leaves).join();
            const std::uint64_t took = bench::now_ns() - before;
            if (sum != leaves * (leaves - 1) / 2) bench::fail("wrong sum");
            bench::result(static_cast<double>(took) / 1e9, bench::quick() ? "s/100k" : "s");
            bench::result(bench_peak_mb(), bench::quick() ? "MB/100k" : "MB", "rss");
        },
        {.procs = bench::procs()});
}
