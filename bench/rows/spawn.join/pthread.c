/* SPDX-License-Identifier: MIT
 * spawn.join, POSIX threads: one thread at a time is started and joined for its result.
 * Timed: from the creation to the result. */
#include <pthread.h>

#include "harness.h"

static void* body(void* arg) { return arg; }

static uint64_t batch(void* arg, uint64_t n) {
    uintptr_t sum = 0;
    for (uint64_t i = 0; i < n; ++i) {
        void* result;
        pthread_t t;
        if (pthread_create(&t, NULL, body, (void*)(uintptr_t)i)) bench_fail("pthread_create");
        pthread_join(t, &result);
        sum += (uintptr_t)result;
    }
    *(uintptr_t*)arg += sum;
    return n;
}

int main(void) {
    static uintptr_t sum;
    bench_ns_per_op(batch, &sum);
    return 0;
}
