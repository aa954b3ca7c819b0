// SPDX-License-Identifier: MIT
// switch.raw, weft: weft_context_switch, a call that keeps all registers and the control words: two contexts
// switch to and fro with nothing below them. Timed: one switch, one way; the loop around it is in it.
#include "weft_context.hpp"

namespace {

constexpr bench::form form = bench::form::call;

weft_context home{};
weft_context other;

[[noreturn]] void loop(void*, void*) {
    for (;;) bench::switch_to<form>(&other, &home);
}

} // namespace

int main() {
    home.flags = bench::context_flags<form>;
    other = bench::fresh<form>(loop);
    bench::ns_per_op([](std::uint64_t n) {
        for (std::uint64_t i = 0; i < n; i += 2) bench::switch_to<form>(&home, &other);
        return (n + 1) / 2 * 2;
    });
}
