/* SPDX-License-Identifier: MIT
 * switch.resume_yield, glibc's swapcontext: a generator is resumed with a value and yields one back, in
 * one variable that both see. Timed: one resume or one yield. */
#include <ucontext.h>

#include "harness.h"

static ucontext_t resumer, generator;
static volatile uint64_t value;

static void generate(void) {
    for (;;) {
        value = value + 1;
        swapcontext(&generator, &resumer);
    }
}

static uint64_t batch(void* arg, uint64_t n) {
    (void)arg;
    for (uint64_t i = 0; i < n; i += 2) swapcontext(&resumer, &generator);
    return (n + 1) / 2 * 2;
}

int main(void) {
    static char stack[64 * 1024];
    getcontext(&generator);
    generator.uc_stack.ss_sp = stack;
    generator.uc_stack.ss_size = sizeof stack;
    makecontext(&generator, generate, 0);
    bench_ns_per_op(batch, NULL);
    return 0;
}
