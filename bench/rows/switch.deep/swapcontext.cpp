// SPDX-License-Identifier: MIT
// switch.deep, glibc's swapcontext at the bottom of the call trees of deep.hpp.
#include <ucontext.h>

#include "deep.hpp"

namespace {

ucontext_t sides[2];
deep::side other;

struct swapper {
    static void swap(int self) { swapcontext(&sides[self], &sides[1 - self]); }
};

void loop() { other(1, deep::endless); }

} // namespace

int main(int argc, char** argv) {
    static char stack[64 * 1024];
    const deep::pair p = deep::chosen<swapper>(argc, argv);
    other = p.other;
    getcontext(&sides[1]);
    sides[1].uc_stack.ss_sp = stack;
    sides[1].uc_stack.ss_size = sizeof stack;
    makecontext(&sides[1], loop, 0);
    deep::measure(p.home);
}
