// SPDX-License-Identifier: MIT
// switch.resume_yield, floor: a generator is resumed with a value and yields one back, by the inline
// switch of sp, bp and pc with the value in a register. Timed: one resume or one yield.
#include "floor.hpp"
#include "harness.hpp"

namespace {

using bench::floor::context;
using bench::floor::switch_to;

context resumer, generator;

[[noreturn]] void generate() {
    for (std::uint64_t v = 0;;) v = switch_to(&generator, &resumer, v + 1);
}

} // namespace

int main() {
    generator = bench::floor::fresh(generate);
    std::uint64_t v = 0;
    bench::ns_per_op([&](std::uint64_t n) {
        for (std::uint64_t i = 0; i < n; i += 2) v = switch_to(&resumer, &generator, v);
        return (n + 1) / 2 * 2;
    });
    bench::keep(v);
}
