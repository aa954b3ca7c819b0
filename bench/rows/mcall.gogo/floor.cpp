// SPDX-License-Identifier: MIT
// mcall.gogo, floor: from one context to the start of a function on a second stack, and back at once, by
// the inline switch of sp, bp and pc. Timed: there and back.
#include "floor.hpp"
#include "harness.hpp"

namespace {

using bench::floor::context;
using bench::floor::switch_to;

context goroutine, unused;

[[noreturn]] void back() {
    switch_to(&unused, &goroutine);
    __builtin_unreachable();
}

} // namespace

int main() {
    const context g0 = bench::floor::fresh(back);
    bench::ns_per_op([&](std::uint64_t n) {
        for (std::uint64_t i = 0; i < n; ++i) {
            context start = g0; // every time from the top of that stack, as mcall does
            switch_to(&goroutine, &start);
        }
    });
}
