// SPDX-License-Identifier: MIT
// parked.bytes, weft: N goroutines wait for a wait_group that nobody opens. Argument: N.
// Measured: growth of resident memory and page tables per goroutine; time from the first go until all
// of them are parked, per goroutine.
#include <cstdlib>

#include "harness.hpp"
#include <weft/weft.hpp>

int main(int argc, char** argv) {
    const std::uint64_t number = bench_argument(argc, argv, 1, 100'000);
    weft::run(
        [number] {
            static weft::wait_group gate;
            static std::uint64_t parked;
            gate.add(1);
            const double memory = bench_memory_bytes();
            const std::uint64_t before = bench::now_ns();
            for (std::uint64_t i = 0; i < number; ++i)
                weft::go([] {
                    ++parked; // one P
                    gate.wait();
                });
            while (parked < number) weft::yield();
            const std::uint64_t took = bench::now_ns() - before;
            const double n = static_cast<double>(number);
            bench::result((bench_memory_bytes() - memory) / n, "bytes");
            bench::result(static_cast<double>(took) / n, "ns", "create");
            std::_Exit(0); // ending them is not measured
        },
        {.procs = 1});
}
