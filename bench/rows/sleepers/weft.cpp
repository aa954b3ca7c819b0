// SPDX-License-Identifier: MIT
// sleepers, weft: 1,000,000 goroutines (--quick: 100,000) that each sleep for some time below a second, spread evenly.
// Timed: from the first start to the last end, and the peak memory.
#include "harness.hpp"
#include <weft/weft.hpp>

int main() {
    const int count = bench::quick() ? 100'000 : 1'000'000;
    weft::run(
        [count] {
            const std::uint64_t before = bench::now_ns();
            weft::wait_group all;
            all.add(count);
            for (int i = 0; i < count; ++i)
                weft::go([&all, i] {
                    weft::sleep_for(std::chrono::microseconds(i % 1000 * 1000 + i / 1000 % 1000));
                    all.done();
                });
            all.wait();
            const std::uint64_t took = bench::now_ns() - before;
            bench::result(static_cast<double>(took) / 1e9, bench::quick() ? "s/100k" : "s");
            bench::result(bench_peak_mb(), bench::quick() ? "MB/100k" : "MB", "rss");
        },
        {.procs = bench::procs()});
}
