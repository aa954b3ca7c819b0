/* SPDX-License-Identifier: MIT
 * yield, POSIX threads: N threads on one CPU, the measuring one among them, do nothing but sched_yield().
 * Argument: N. Timed: one yield, of whichever thread; they are counted in an atomic variable common to all. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "harness.h"

static _Atomic uint64_t yields;
static atomic_int stop;

static void* yielder(void* arg) {
    (void)arg;
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&yields, 1, memory_order_relaxed);
        sched_yield();
    }
    return NULL;
}

static uint64_t batch(void* arg, uint64_t n) {
    (void)arg;
    const uint64_t before = yields;
    while (yields - before < n) {
        atomic_fetch_add_explicit(&yields, 1, memory_order_relaxed);
        sched_yield();
    }
    return yields - before;
}

int main(int argc, char** argv) {
    const uint64_t number = bench_argument(argc, argv, 1, 2);
    if (number > 1000) bench_skip("ten thousand runnable threads stall the machine");
    for (uint64_t i = 1; i < number; ++i) {
        pthread_t t;
        if (pthread_create(&t, NULL, yielder, NULL)) bench_fail("pthread_create");
        pthread_detach(t);
    }
    bench_ns_per_op(batch, NULL);
    stop = 1;
    return 0;
}
