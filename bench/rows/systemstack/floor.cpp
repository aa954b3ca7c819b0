// SPDX-License-Identifier: MIT
// systemstack, floor: a function is called on another stack by an inline stack swap: sp kept in a
// callee-saved register, moved, call, moved back. No thread's g, no bookkeeping, no unwind rows.
// Timed: the call there and the return, with the function's own increment.
#include "floor.hpp"
#include "harness.hpp"

namespace {

[[gnu::noinline]] void increment(void* counter) { bench::keep(++*static_cast<std::uint64_t*>(counter)); }

} // namespace

int main() {
    char* system_stack = bench::floor::new_stack();
    std::uint64_t counter = 0;
    bench::ns_per_op([&](std::uint64_t n) {
        for (std::uint64_t i = 0; i < n; ++i) bench::floor::call_on(system_stack, increment, &counter);
    });
    bench::keep(counter);
}
