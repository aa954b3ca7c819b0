/* SPDX-License-Identifier: MIT
 * skynet, State Threads with 16 KiB stacks: each thread starts ten and joins them for the sum of their
 * results; the leaves return their numbers. Timed: one whole tree of 1,000,000 leaves, and the peak
 * memory. */
#include <st.h>

#include "harness.h"

struct part {
    uint64_t first, leaves;
};

static void* tree(void* arg) {
    const struct part me = *(struct part*)arg;
    if (me.leaves == 1) return (void*)(uintptr_t)me.first;
    struct part parts[10];
    st_thread_t children[10];
    for (uint64_t i = 0; i < 10; ++i) {
        parts[i].first = me.first + i * (me.leaves / 10);
        parts[i].leaves = me.leaves / 10;
        if (!(children[i] = st_thread_create(tree, &parts[i], 1, 16 * 1024))) bench_fail("st_thread_create");
    }
    uintptr_t sum = 0;
    for (int i = 0; i < 10; ++i) {
        void* result;
        st_thread_join(children[i], &result);
        sum += (uintptr_t)result;
    }
    return (void*)sum;
}

int main(void) {
    if (bench_procs() != 1) bench_skip("single-threaded");
    const uint64_t leaves = bench_quick() ? 100000 : 1000000;
    struct part all = {0, leaves};
    void* sum;
    st_init();
    const uint64_t before = bench_now_ns();
    st_thread_join(st_thread_create(tree, &all, 1, 16 * 1024), &sum);
    const uint64_t took = bench_now_ns() - before;
    if ((uintptr_t)sum != leaves * (leaves - 1) / 2) bench_fail("wrong sum");
    bench_result((double)took / 1e9, bench_quick() ? "s/100k" : "s", NULL);
    bench_result(bench_peak_mb(), bench_quick() ? "MB/100k" : "MB", "rss");
    return 0;
}
