// SPDX-License-Identifier: MIT
// spawn, Boost.Fiber with a pool of stacks: batches of 1,000 detached fibers that only count
// themselves done, and a wait for all of them (a counter; the last one notifies).
// Timed: one fiber: creation, run, exit, and its share of the wait.
#include "boost_fiber.hpp"

int main() {
    bench::run_fibers(bench::procs(), [] {
        bench::pooled_stack stacks;
        boost::fibers::mutex lock;
        boost::fibers::condition_variable finished;
        std::atomic<int> left;
        bench::ns_per_op([&](std::uint64_t n) {
            std::uint64_t done = 0;
            for (; done < n; done += 1000) {
                left = 1000;
                for (int i = 0; i < 1000; ++i)
                    boost::fibers::fiber(std::allocator_arg, stacks, [&] {
                        if (left.fetch_sub(1) != 1) return;
                        std::unique_lock held(lock);
                        finished.notify_one();
                    }).detach();
                std::unique_lock held(lock);
                finished.wait(held, [&] { return left == 0; });
            }
            return done;
        });
    });
}
