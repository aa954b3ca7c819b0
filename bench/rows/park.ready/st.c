/* SPDX-License-Identifier: MIT
 * park.ready, State Threads: two threads hand a token to and fro, each signalling the other's condition
 * variable and waiting on its own. Timed: one round trip. No locks, no atomics: there is one OS thread. */
#include <st.h>

#include "harness.h"

static st_cond_t ping, pong;

static void* partner(void* arg) {
    (void)arg;
    for (;;) {
        st_cond_wait(ping);
        st_cond_signal(pong);
    }
    return NULL;
}

static uint64_t batch(void* arg, uint64_t n) {
    (void)arg;
    for (uint64_t i = 0; i < n; ++i) {
        st_cond_signal(ping);
        st_cond_wait(pong);
    }
    return n;
}

int main(void) {
    if (bench_procs() != 1) bench_skip("single-threaded");
    st_init();
    ping = st_cond_new();
    pong = st_cond_new();
    st_thread_create(partner, NULL, 0, 0);
    st_usleep(0); /* the partner waits now */
    bench_ns_per_op(batch, NULL);
    return 0;
}
