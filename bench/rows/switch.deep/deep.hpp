// SPDX-License-Identifier: MIT
// switch.deep, the part that all implementations share. Each side, again and again, calls `depth`
// functions one inside the other, switches to the other side in the innermost, and returns from all
// of them. Timed: one switch, one way, with the calls and returns around it.
//
// A CPU predicts where a return goes from a small stack of its own, which knows nothing of contexts.
// "same": both sides run the same functions, so that the predictor is right as long as calls and
// returns stay paired across the switch. "diff": each side has functions of its own, so that every
// return below a switch is predicted with the other side's address, whatever the switch does.
//
// Arguments of every program: depth (3 or 10), and "same" or "diff".
#pragma once

#include <cstdint>

#include "harness.hpp"

namespace deep {

/// Code is 0 or 1: it makes distinct functions. swap(self) is to switch to the other side.
template <class Swap, int Code, int Depth>
[[gnu::noinline]] void frame(int self) {
    if constexpr (Depth == 0)
        Swap::swap(self);
    else
        frame<Swap, Code, Depth - 1>(self);
    asm volatile("" ::"i"(Code), "i"(Depth)); // no tail call, and no two functions that could be merged
}

/// What a side does: its call tree, n times. The call stands in one place for each Code, so that with
/// "same" even the outermost return goes to the same address on both sides.
template <class Swap, int Code, int Depth>
[[gnu::noinline]] void loop(int self, std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) frame<Swap, Code, Depth - 1>(self);
    asm volatile("" ::"i"(Code));
}

using side = void (*)(int self, std::uint64_t n);

struct pair {
    side home, other;
};

/// The sides that the arguments ask for. The innermost function counts as one of the frames.
template <class Swap>
pair chosen(int argc, char** argv) {
    const bool same = argc > 2 && argv[2][0] == 's';
    switch (bench_argument(argc, argv, 1, 3)) {
    case 3: return {loop<Swap, 0, 3>, same ? loop<Swap, 0, 3> : loop<Swap, 1, 3>};
    case 10: return {loop<Swap, 0, 10>, same ? loop<Swap, 0, 10> : loop<Swap, 1, 10>};
    default: bench::fail("usage: 3|10 same|diff");
    }
}

/// The other side goes on for ever, or as long as its context lives.
inline constexpr std::uint64_t endless = UINT64_MAX;

/// The side that measures.
inline void measure(side home) {
    bench::ns_per_op([home](std::uint64_t n) {
        home(0, (n + 1) / 2);
        return (n + 1) / 2 * 2;
    });
}

} // namespace deep
