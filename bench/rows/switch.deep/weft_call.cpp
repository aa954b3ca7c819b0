// SPDX-License-Identifier: MIT
// switch.deep, weft: weft_context_switch, a call that keeps all registers and the control words, at the
// bottom of the call trees of deep.hpp.
#include "deep.hpp"
#include "weft_context.hpp"

namespace {

constexpr bench::form form = bench::form::call;

weft_context sides[2];
deep::side other;

struct swapper {
    [[gnu::always_inline]] static void swap(int self) { bench::switch_to<form>(&sides[self], &sides[1 - self]); }
};

void loop(void*, void*) { other(1, deep::endless); }

} // namespace

int main(int argc, char** argv) {
    const deep::pair p = deep::chosen<swapper>(argc, argv);
    other = p.other;
    sides[0].flags = bench::context_flags<form>;
    sides[1] = bench::fresh<form>(loop);
    deep::measure(p.home);
}
