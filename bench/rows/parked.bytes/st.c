/* SPDX-License-Identifier: MIT
 * parked.bytes, State Threads with 16 KiB stacks: N threads wait on a condition variable that nobody
 * signals. Argument: N. Measured: growth of resident memory and page tables per thread; time from the
 * first creation until all of them are parked, per thread. */
#include <st.h>
#include <unistd.h>

#include "harness.h"

static uint64_t parked;
static st_cond_t gate;

static void* body(void* arg) {
    ++parked;
    st_cond_wait(gate);
    return arg;
}

int main(int argc, char** argv) {
    const uint64_t number = bench_argument(argc, argv, 1, 100000);
    if (bench_procs() != 1) bench_skip("single-threaded");
    st_init();
    gate = st_cond_new();
    const double memory = bench_memory_bytes();
    const uint64_t before = bench_now_ns();
    for (uint64_t i = 0; i < number; ++i)
        if (!st_thread_create(body, NULL, 0, 16 * 1024)) bench_fail("st_thread_create");
    while (parked < number) st_usleep(0);
    const uint64_t took = bench_now_ns() - before;
    bench_result((bench_memory_bytes() - memory) / (double)number, "bytes", NULL);
    bench_result((double)took / (double)number, "ns", "create");
    _exit(0); /* ending them is not measured */
}
