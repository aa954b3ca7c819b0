// SPDX-License-Identifier: MIT
// parked.bytes, Boost.Fiber with 16 KiB stacks without guards (with guards it ends at vm.max_map_count,
// some 32,000): N fibers wait on a condition variable that nobody signals. Argument: N.
// Measured: growth of resident memory and page tables per fiber; time from the first creation until
// all of them are parked, per fiber.
#include "boost_fiber.hpp"

int main(int argc, char** argv) {
    const std::uint64_t number = bench_argument(argc, argv, 1, 100'000);
    static std::uint64_t parked;
    static boost::fibers::mutex lock;
    static boost::fibers::condition_variable gate;
    const double memory = bench_memory_bytes();
    const std::uint64_t before = bench::now_ns();
    for (std::uint64_t i = 0; i < number; ++i)
        boost::fibers::fiber(std::allocator_arg, boost::fibers::fixedsize_stack(16 * 1024), [] {
            ++parked;
            std::unique_lock held(lock);
            gate.wait(held);
        }).detach();
    while (parked < number) boost::this_fiber::yield();
    const std::uint64_t took = bench::now_ns() - before;
    const double n = static_cast<double>(number);
    bench::result((bench_memory_bytes() - memory) / n, "bytes");
    bench::result(static_cast<double>(took) / n, "ns", "create");
    std::_Exit(0); // ending them is not measured
}
