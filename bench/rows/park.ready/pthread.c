/* SPDX-License-Identifier: MIT
 * park.ready, POSIX threads: two threads hand a token to and fro by two semaphores. Timed: one round
 * trip, two futex sleeps and two futex wakes. */
#include <pthread.h>
#include <semaphore.h>

#include "harness.h"

static sem_t ping, pong;

static void* partner(void* arg) {
    (void)arg;
    for (;;) {
        sem_wait(&ping);
        sem_post(&pong);
    }
    return NULL;
}

static uint64_t batch(void* arg, uint64_t n) {
    (void)arg;
    for (uint64_t i = 0; i < n; ++i) {
        sem_post(&ping);
        sem_wait(&pong);
    }
    return n;
}

int main(void) {
    pthread_t t;
    sem_init(&ping, 0, 0);
    sem_init(&pong, 0, 0);
    if (pthread_create(&t, NULL, partner, NULL)) bench_fail("pthread_create");
    bench_ns_per_op(batch, NULL);
    return 0;
}
