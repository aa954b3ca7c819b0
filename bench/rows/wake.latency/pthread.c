/* SPDX-License-Identifier: MIT
 * wake.latency, POSIX threads, each bound to a CPU: a thread posts the semaphore on which another sleeps,
 * and goes on computing. Sampled: from just before sem_post() to the first clock read after sem_wait(). */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "harness.h"

static sem_t wake;
static _Atomic uint64_t woke_at;

static void* sleeper(void* arg) {
    bench_pin(1);
    for (;;) {
        sem_wait(&wake);
        atomic_store(&woke_at, bench_now_ns());
    }
    return arg;
}

int main(void) {
    if (bench_procs() < 2) bench_skip("needs two CPUs");
    const uint64_t size = bench_quick() ? 500 : 4000;
    uint64_t* sample = malloc(size * sizeof *sample);
    pthread_t t;
    bench_pin(0);
    sem_init(&wake, 0, 0);
    if (pthread_create(&t, NULL, sleeper, NULL)) bench_fail("pthread_create");
    for (uint64_t i = 0; i < size; ++i) {
        const uint64_t from = bench_now_ns();
        while (bench_now_ns() - from < 200000) {
        }
        const uint64_t woken = bench_now_ns();
        sem_post(&wake);
        uint64_t at;
        while (!(at = atomic_exchange(&woke_at, 0))) {
        }
        sample[i] = at - woken;
    }
    bench_percentiles(sample, size);
    return 0;
}
