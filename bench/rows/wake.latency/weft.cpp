// SPDX-License-Identifier: MIT
// wake.latency, weft: a goroutine unparks another, whose P is idle, and goes on computing, so that the
// other has to run on the idle M. Sampled: from just before unpark() to the first clock read after park().
#include <atomic>
#include <vector>

#include "harness.hpp"
#include <weft/parker.hpp>
#include <weft/weft.hpp>

int main() {
    if (bench::procs() < 2) bench::skip("needs two Ps");
    std::vector<std::uint64_t> sample(bench::quick() ? 500 : 4000);
    weft::run(
        [&sample] {
            weft::parker p;
            std::atomic<std::uint64_t> woke_at{0};
            auto sleeper = weft::spawn([&] {
                for (std::size_t i = 0; i < sample.size(); ++i) {
                    p.park();
                    woke_at = bench::now_ns();
                }
            });
            for (std::uint64_t& latency : sample) {
                weft::yield(); // a scheduling point: else the P is taken from one that computes for 10 ms
                const std::uint64_t from = bench::now_ns();
                while (bench::now_ns() - from < 200'000) {
                } // meanwhile the sleeper's M goes idle
                const std::uint64_t woken = bench::now_ns();
                p.unpark();
                std::uint64_t at;
                while ((at = woke_at.exchange(0)) == 0) {
                }
                latency = at - woken;
            }
            sleeper.join();
        },
        {.procs = bench::procs()});
    bench::percentiles(sample);
}
