/* SPDX-License-Identifier: MIT
 * park.ready, GNU Pth: two threads hand a token to and fro by a mutex and two condition variables.
 * Timed: one round trip. */
#include <pth.h>

#include "harness.h"

static pth_mutex_t lock = PTH_MUTEX_INIT;
static pth_cond_t ping = PTH_COND_INIT, pong = PTH_COND_INIT;
static int turn; /* 1: the partner's */

static void* partner(void* arg) {
    (void)arg;
    pth_mutex_acquire(&lock, FALSE, NULL);
    for (;;) {
        while (turn != 1) pth_cond_await(&ping, &lock, NULL);
        turn = 0;
        pth_cond_notify(&pong, FALSE);
    }
    return NULL;
}

static uint64_t batch(void* arg, uint64_t n) {
    (void)arg;
    for (uint64_t i = 0; i < n; ++i) {
        turn = 1;
        pth_cond_notify(&ping, FALSE);
        while (turn != 0) pth_cond_await(&pong, &lock, NULL);
    }
    return n;
}

int main(void) {
    if (bench_procs() != 1) bench_skip("single-threaded");
    pth_init();
    pth_spawn(PTH_ATTR_DEFAULT, partner, NULL);
    pth_mutex_acquire(&lock, FALSE, NULL);
    bench_ns_per_op(batch, NULL);
    return 0;
}
