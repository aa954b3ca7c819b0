/* SPDX-License-Identifier: MIT
 * spawn, GNU Pth: batches of 1,000 joinable threads that return at once, all joined. Timed: one thread:
 * creation, run, exit, join. */
#include <pth.h>

#include "harness.h"

static void* body(void* arg) { return arg; }

static uint64_t batch(void* arg, uint64_t n) {
    static pth_t threads[1000];
    uint64_t done = 0;
    (void)arg;
    for (; done < n; done += 1000) {
        for (int i = 0; i < 1000; ++i)
            if (!(threads[i] = pth_spawn(PTH_ATTR_DEFAULT, body, NULL))) bench_fail("pth_spawn");
        for (int i = 0; i < 1000; ++i) pth_join(threads[i], NULL);
    }
    return done;
}

int main(void) {
    if (bench_procs() != 1) bench_skip("single-threaded");
    pth_init();
    bench_ns_per_op(batch, NULL);
    return 0;
}
