/* SPDX-License-Identifier: MIT
 * spawn, State Threads: batches of 1,000 threads that only count themselves done, and a wait for all of
 * them. Timed: one thread: creation, run, exit, and its share of the wait. Stacks are reused. */
#include <st.h>

#include "harness.h"

static st_cond_t finished;
static int left;

static void* body(void* arg) {
    (void)arg;
    if (--left == 0) st_cond_signal(finished);
    return NULL;
}

static uint64_t batch(void* arg, uint64_t n) {
    uint64_t done = 0;
    (void)arg;
    for (; done < n; done += 1000) {
        left = 1000;
        for (int i = 0; i < 1000; ++i) st_thread_create(body, NULL, 0, 0);
        while (left) st_cond_wait(finished);
    }
    return done;
}

int main(void) {
    if (bench_procs() != 1) bench_skip("single-threaded");
    st_init();
    finished = st_cond_new();
    bench_ns_per_op(batch, NULL);
    return 0;
}
