/* SPDX-License-Identifier: MIT
 * switch.raw, glibc's swapcontext: two contexts switch to and fro with nothing below them. Timed: one
 * switch, one way; the loop around it is in it. Each switch makes a system call for the signal mask. */
#include <ucontext.h>

#include "harness.h"

static ucontext_t home, other;

static void loop(void) {
    for (;;) swapcontext(&other, &home);
}

static uint64_t batch(void* arg, uint64_t n) {
    (void)arg;
    for (uint64_t i = 0; i < n; i += 2) swapcontext(&home, &other);
    return (n + 1) / 2 * 2;
}

int main(void) {
    static char stack[64 * 1024];
    getcontext(&other);
    other.uc_stack.ss_sp = stack;
    other.uc_stack.ss_size = sizeof stack;
    makecontext(&other, loop, 0);
    bench_ns_per_op(batch, NULL);
    return 0;
}
