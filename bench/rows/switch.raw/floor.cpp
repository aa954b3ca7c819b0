// SPDX-License-Identifier: MIT
// switch.raw, floor: two contexts switch to and fro with nothing below them. Timed: one switch, one
// way; the loop around it is in it.
#include "floor.hpp"
#include "harness.hpp"

namespace {

using bench::floor::context;
using bench::floor::switch_to;

context home, other;

[[noreturn]] void loop() {
    for (;;) switch_to(&other, &home);
}

} // namespace

int main() {
    other = bench::floor::fresh(loop);
    bench::ns_per_op([](std::uint64_t n) {
        for (std::uint64_t i = 0; i < n; i += 2) switch_to(&home, &other);
        return (n + 1) / 2 * 2;
    });
}
