/* SPDX-License-Identifier: MIT
 * yield, GNU Pth: N threads, the measuring one among them, do nothing but pth_yield(NULL). Argument: N.
 * Timed: one yield, of whichever thread; they are counted in a variable common to all. */
#include <pth.h>

#include "harness.h"

static uint64_t yields;
static int stop;

static void* yielder(void* arg) {
    (void)arg;
    while (!stop) {
        ++yields;
        pth_yield(NULL);
    }
    return NULL;
}

static uint64_t batch(void* arg, uint64_t n) {
    (void)arg;
    const uint64_t before = yields;
    while (yields - before < n) {
        ++yields;
        pth_yield(NULL);
    }
    return yields - before;
}

int main(int argc, char** argv) {
    const uint64_t number = bench_argument(argc, argv, 1, 2);
    if (bench_procs() != 1) bench_skip("single-threaded");
    if (number > 1000) bench_skip("each yield walks over all threads: minutes");
    pth_init();
    for (uint64_t i = 1; i < number; ++i)
        if (!pth_spawn(PTH_ATTR_DEFAULT, yielder, NULL)) bench_fail("pth_spawn");
    pth_yield(NULL);
    bench_ns_per_op(batch, NULL);
    stop = 1;
    return 0;
}
