// SPDX-License-Identifier: MIT
// wake.latency, Boost.Fiber, round_robin on each of two threads, bound to a CPU each: one signals the condition
// variable of a fiber on the other, idle one, and goes on computing. (With work_stealing the woken fiber would stay in
// the waker's own queue.) Sampled: from just before notify_one() to the first clock read after wait().
#include <vector>

#include "boost_fiber.hpp"

int main() {
    if (bench::procs() < 2) bench::skip("needs two threads");
    std::vector<std::uint64_t> sample(bench::quick() ? 500 : 4000);
    boost::fibers::mutex lock;
    boost::fibers::condition_variable wake;
    bool token = false;
    std::atomic<std::uint64_t> woke_at{0};
    bench_pin(0);
    std::thread sleeper([&] {
        bench_pin(1);
        boost::fibers::fiber([&] {
            for (std::size_t i = 0; i < sample.size(); ++i) {
                {
                    std::unique_lock held(lock);
                    wake.wait(held, [&] { return token; });
                    token = false;
                }
                woke_at = bench::now_ns();
            }
        }).join();
    });
    for (std::uint64_t& latency : sample) {
        const std::uint64_t from = bench::now_ns();
        while (bench::now_ns() - from < 200'000) {
        }
        const std::uint64_t woken = bench::now_ns();
        {
            std::unique_lock held(lock);
            token = true;
        }
        wake.notify_one();
        std::uint64_t at;
        while ((at = woke_at.exchange(0)) == 0) {
        }
        latency = at - woken;
    }
    sleeper.join();
    bench::percentiles(sample);
}
