/* SPDX-License-Identifier: MIT
 * yield, State Threads: N threads, the measuring one among them, do nothing but st_usleep(0), which is
 * the library's way to yield (it goes through the sleep queue). Argument: N. Timed: one yield, of
 * whichever thread; they are counted in a variable common to all. */
#include <st.h>

#include "harness.h"

static uint64_t yields;
static int stop;

static void* yielder(void* arg) {
    (void)arg;
    while (!stop) {
        ++yields;
        st_usleep(0);
    }
    return NULL;
}

static uint64_t batch(void* arg, uint64_t n) {
    (void)arg;
    const uint64_t before = yields;
    while (yields - before < n) {
        ++yields;
        st_usleep(0);
    }
    return yields - before;
}

int main(int argc, char** argv) {
    if (bench_procs() != 1) bench_skip("single-threaded");
    st_init();
    for (uint64_t i = 1; i < bench_argument(argc, argv, 1, 2); ++i)
        if (!st_thread_create(yielder, NULL, 0, 0)) bench_fail("st_thread_create");
    st_usleep(0);
    bench_ns_per_op(batch, NULL);
    stop = 1;
    return 0;
}
