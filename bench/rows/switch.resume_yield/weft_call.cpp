// SPDX-License-Identifier: MIT
// switch.resume_yield, weft: weft_context_switch, a call that keeps all registers and the control words:
// a generator is resumed with a value and yields one back. Timed: one resume or one yield.
#include "weft_context.hpp"

namespace {

constexpr bench::form form = bench::form::call;

weft_context resumer{};
weft_context generator;

[[noreturn]] void generate(void*, void* v) {
    for (;;) v = bench::switch_to<form>(&generator, &resumer, static_cast<char*>(v) + 1);
}

} // namespace

int main() {
    resumer.flags = bench::context_flags<form>;
    generator = bench::fresh<form>(generate);
    void* v = nullptr;
    bench::ns_per_op([&](std::uint64_t n) {
        for (std::uint64_t i = 0; i < n; i += 2) v = bench::switch_to<form>(&resumer, &generator, v);
        return (n + 1) / 2 * 2;
    });
    bench::keep(v);
}
