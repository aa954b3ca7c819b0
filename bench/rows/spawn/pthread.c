/* SPDX-License-Identifier: MIT
 * spawn, POSIX threads: batches of 1,000 threads that return at once, all joined. Timed: one thread:
 * creation, run, exit, join. */
#include <pthread.h>

#include "harness.h"

static void* body(void* arg) { return arg; }

static uint64_t batch(void* arg, uint64_t n) {
    static pthread_t threads[1000];
    uint64_t done = 0;
    (void)arg;
    for (; done < n; done += 1000) {
        for (int i = 0; i < 1000; ++i)
            if (pthread_create(&threads[i], NULL, body, NULL)) bench_fail("pthread_create");
        for (int i = 0; i < 1000; ++i) pthread_join(threads[i], NULL);
    }
    return done;
}

int main(void) {
    bench_ns_per_op(batch, NULL);
    return 0;
}
