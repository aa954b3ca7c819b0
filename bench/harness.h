/* SPDX-License-Identifier: MIT
 * What every measured program in C shares: the clock, the calibrated batch and the result line.
 * harness.hpp is the same for C++, go/src/harness for Go; the three must behave alike.
 *
 * The driver talks to a program through the environment:
 *   WEFT_BENCH_PROCS   workers (Ps, threads) the program shall use; 1 when unset
 *   WEFT_BENCH_MS      a measured batch lasts at least that long; 100 when unset
 *   WEFT_BENCH_QUICK   set: a large row may shrink; its unit must then say so
 *   WEFT_BENCH_OPS     set: run that many operations once, without a clock (instruction counts)
 * and a program answers with lines on stdout:
 *   RESULT value unit [quantity]       a quantity makes a row of its own, "row.quantity"
 *   SKIP reason                        and exit status 77: cannot run in this form
 */
#ifndef WEFT_BENCH_HARNESS_H
#define WEFT_BENCH_HARNESS_H

#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef __cplusplus
#define BENCH_INLINE inline
extern "C" {
#else
#define BENCH_INLINE static inline
#endif

BENCH_INLINE uint64_t bench_now_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

BENCH_INLINE uint64_t bench_env(const char* name, uint64_t otherwise) {
    const char* text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

BENCH_INLINE int bench_procs(void) { return (int)bench_env("WEFT_BENCH_PROCS", 1); }
BENCH_INLINE int bench_quick(void) { return bench_env("WEFT_BENCH_QUICK", 0) != 0; }

BENCH_INLINE void bench_result(double value, const char* unit, const char* quantity) {
    printf("RESULT %.6g %s%s%s\n", value, unit, quantity ? " " : "", quantity ? quantity : "");
    fflush(stdout);
}

BENCH_INLINE void bench_skip(const char* reason) {
    printf("SKIP %s\n", reason);
    exit(77);
}

BENCH_INLINE void bench_fail(const char* what) {
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

/* Pins the calling thread to one of the CPUs that the process may use, counted from 0. The first call is
 * made before there are other threads: what they inherit is pinned already. */
BENCH_INLINE void bench_pin(int index) {
    static cpu_set_t all;
    cpu_set_t one;
    if (CPU_COUNT(&all) == 0 && sched_getaffinity(0, sizeof all, &all)) return;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &all) && index-- == 0) CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one)) perror("bench: sched_setaffinity");
}

/* The number that the program's argument at index gives, or otherwise. */
BENCH_INLINE uint64_t bench_argument(int argc, char** argv, int index, uint64_t otherwise) {
    return argc > index ? strtoull(argv[index], NULL, 10) : otherwise;
}

/* Runs about n operations, at least one; returns how many they were. */
typedef uint64_t (*bench_batch)(void* arg, uint64_t n);

/* Calls batch with growing n until one call lasts long enough, and reports that call in ns per
 * operation. The shorter calls before it are the warm-up. */
BENCH_INLINE void bench_ns_per_op(bench_batch batch, void* arg) {
    uint64_t fixed = bench_env("WEFT_BENCH_OPS", 0);
    if (fixed) {
        batch(arg, fixed);
        return;
    }
    const double wanted = (double)bench_env("WEFT_BENCH_MS", 100) * 1e6;
    for (uint64_t n = 1;;) {
        const uint64_t before = bench_now_ns();
        const uint64_t done = batch(arg, n);
        const double took = (double)(bench_now_ns() - before);
        if (took >= wanted) {
            bench_result(took / (double)done, "ns", NULL);
            return;
        }
        double next = took > wanted / 100 ? 1.2 * wanted / took * (double)done : 10 * (double)done;
        n = (uint64_t)next + 1;
    }
}

/* A field of /proc/self/status in kB, such as "VmRSS:". */
BENCH_INLINE uint64_t bench_status_kb(const char* field) {
    FILE* f = fopen("/proc/self/status", "r");
    char line[256];
    uint64_t value = 0;
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, field, strlen(field)) == 0) value = strtoull(line + strlen(field), NULL, 10);
    if (f) fclose(f);
    return value;
}

/* Memory that the process uses now: resident pages and the page tables that map them. */
BENCH_INLINE double bench_memory_bytes(void) {
    return 1024.0 * (double)(bench_status_kb("VmRSS:") + bench_status_kb("VmPTE:"));
}

/* Largest resident memory since the program started, in MB (10^6). Not ru_maxrss, which a process
 * inherits from what it was before exec. */
BENCH_INLINE double bench_peak_mb(void) { return 1024.0 * (double)bench_status_kb("VmHWM:") / 1e6; }

static int bench_compare_ns(const void* a, const void* b) {
    const uint64_t x = *(const uint64_t*)a, y = *(const uint64_t*)b;
    return (x > y) - (x < y);
}

/* Reports a sample of latencies as the rows .p50, .p99 and .p99.9. Sorts it. */
BENCH_INLINE void bench_percentiles(uint64_t* sample, uint64_t count) {
    qsort(sample, count, sizeof *sample, bench_compare_ns);
    bench_result((double)sample[count / 2], "ns", "p50");
    bench_result((double)sample[count * 99 / 100], "ns", "p99");
    bench_result((double)sample[count * 999 / 1000], "ns", "p99.9");
}

#ifdef __cplusplus
}
#endif
#endif
