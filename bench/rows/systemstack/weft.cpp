// SPDX-License-Identifier: MIT
// systemstack, weft: weft_systemstack(increment, &counter) from a goroutine.
// Timed: the call there and the return, with the function's own increment.
#include "core/trampolines.hpp"
#include "harness.hpp"
#include <weft/weft.hpp>

namespace {

[[gnu::noinline]] void increment(void* counter) { bench::keep(++*static_cast<std::uint64_t*>(counter)); }

} // namespace

int main() {
    weft::run(
        [] {
            std::uint64_t counter = 0;
            bench::ns_per_op([&](std::uint64_t n) {
                for (std::uint64_t i = 0; i < n; ++i) weft_systemstack(increment, &counter);
            });
            bench::keep(counter);
        },
        {.procs = 1});
}
