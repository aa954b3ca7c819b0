// SPDX-License-Identifier: MIT
// spawn.join, weft: one goroutine at a time is started and joined for its result.
// Timed: weft::spawn(f).join(), from the call to the result.
#include "harness.hpp"
#include <weft/weft.hpp>

int main() {
    weft::run(
        [] {
            std::uint64_t sum = 0;
            bench::ns_per_op([&](std::uint64_t n) {
                for (std::uint64_t i = 0; i < n; ++i) sum += weft::spawn([i] { return i; }).join();
            });
            bench::keep(sum);
        },
        {.procs = bench::procs()});
}
