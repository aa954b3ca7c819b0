// SPDX-License-Identifier: MIT
// switch.deep, floor: the inline switch of sp, bp and pc at the bottom of the call trees of deep.hpp.
// Not a true floor here: an inline switch leaves the return predictor with the calls of both sides.
#include "floor.hpp"
#include "deep.hpp"

namespace {

bench::floor::context sides[2];
deep::side other;

struct swapper {
    [[gnu::always_inline]] static void swap(int self) { bench::floor::switch_to(&sides[self], &sides[1 - self]); }
};

void loop() { other(1, deep::endless); }

} // namespace

int main(int argc, char** argv) {
    const deep::pair p = deep::chosen<swapper>(argc, argv);
    other = p.other;
    sides[1] = bench::floor::fresh(loop);
    deep::measure(p.home);
}
