/* SPDX-License-Identifier: MIT
 * spawn.join, State Threads: one thread at a time is started and joined for its result.
 * Timed: from the creation to the result. */
#include <st.h>

#include "harness.h"

static void* body(void* arg) { return arg; }

static uint64_t batch(void* arg, uint64_t n) {
    uintptr_t sum = 0;
    for (uint64_t i = 0; i < n; ++i) {
        void* result;
        st_thread_join(st_thread_create(body, (void*)(uintptr_t)i, 1, 0), &result);
        sum += (uintptr_t)result;
    }
    *(uintptr_t*)arg += sum;
    return n;
}

int main(void) {
    static uintptr_t sum;
    if (bench_procs() != 1) bench_skip("single-threaded");
    st_init();
    bench_ns_per_op(batch, &sum);
    return 0;
}
