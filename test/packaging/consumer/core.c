/* SPDX-License-Identifier: MIT */
/* A program of somebody else's, in C, on an installed weft-core: a context counts, and is asked three times. */
#include <stdio.h>
#include <weft/context.h>

static weft_context host, counter;
static char stack[16384];

static void count(void* arg, void* value) {
    int* sum = (int*)arg;
    for (;;) {
        *sum += *(int*)value;
        value = weft_context_switch(&counter, &host, sum);
    }
}

int main(void) {
    int sum = 0;
    if (weft_context_init(&counter, stack, sizeof stack, count, &sum, 0) != 0) return 1;
    for (int i = 13; i <= 15; ++i) weft_context_switch(&host, &counter, &i);
    printf("core: %d\n", sum);
    return 0;
}
