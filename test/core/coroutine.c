/* SPDX-License-Identifier: MIT */
/* weft/coroutine.h from C11, in both forms (WEFT_NO_INLINE_SWITCH makes the inline one the call): values, states, and
 * every error. Linked without libstdc++. */
#include <fenv.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft/coroutine.h"

static int failures;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                    \
            failures++;                                                                                                \
        }                                                                                                              \
    } while (0)

typedef int resume_form(weft_coroutine*, void*, void**);
static resume_form* const resume_forms[] = {weft_coroutine_resume, weft_coroutine_resume_inline};
static resume_form* const yield_forms[] = {weft_coroutine_yield, weft_coroutine_yield_inline};
static const unsigned all_flags[] = {0, WEFT_COROUTINE_OWN_FPCW};

#define STACK 65536u
static alignas(16) char stacks[3][STACK];

static uintptr_t number(void* p) { return (uintptr_t)p; }
static void* value_of(uintptr_t n) { return (void*)n; }

/* Yields what it was given and one more, until it is given 0; then returns 1000. user: the form of its yield. */
static void* count(weft_coroutine* co, void* value) {
    resume_form* const yield = *(resume_form* const*)co->user;
    while (value != NULL)
        if (yield(co, value_of(number(value) + 1), &value) != 0) abort();
    return value_of(1000);
}

static void values_and_states(void) {
    for (int r = 0; r < 2; r++) {
        for (int y = 0; y < 2; y++) {
            for (int f = 0; f < 2; f++) {
                weft_coroutine co;
                CHECK(weft_coroutine_init(&co, stacks[0], STACK, count, (void*)&yield_forms[y], all_flags[f]) == 0);
                CHECK(weft_coroutine_status(&co) == WEFT_COROUTINE_SUSPENDED);
                void* got = NULL;
                for (uintptr_t i = 1; i < 100; i++) {
                    CHECK(resume_forms[r](&co, value_of(i), &got) == 0);
                    CHECK(number(got) == i + 1);
                    CHECK(weft_coroutine_status(&co) == WEFT_COROUTINE_SUSPENDED);
                }
                CHECK(resume_forms[1 - r](&co, value_of(7), NULL) == 0);
                CHECK(resume_forms[r](&co, NULL, &got) == 0);
                CHECK(number(got) == 1000);
                CHECK(weft_coroutine_status(&co) == WEFT_COROUTINE_FINISHED);
                CHECK(resume_forms[r](&co, NULL, &got) == WEFT_EFINISHED);
                CHECK(weft_coroutine_reset(&co, count, (void*)&yield_forms[1 - y]) == 0);
                CHECK(resume_forms[r](&co, value_of(41), &got) == 0);
                CHECK(number(got) == 42);
                CHECK(weft_coroutine_reset(&co, count, (void*)&yield_forms[y]) == 0); /* of a suspended one */
                CHECK(resume_forms[r](&co, value_of(1), &got) == 0);
                CHECK(number(got) == 2);
                CHECK(weft_coroutine_destroy(&co) == 0);
                CHECK(weft_coroutine_status(&co) == WEFT_EFOREIGN);
            }
        }
    }
}

static void bad_arguments(void) {
    weft_coroutine co;
    CHECK(weft_coroutine_init(NULL, stacks[0], STACK, count, NULL, 0) == WEFT_EINVAL);
    CHECK(weft_coroutine_init(&co, NULL, STACK, count, NULL, 0) == WEFT_EINVAL);
    CHECK(weft_coroutine_init(&co, stacks[0], STACK, NULL, NULL, 0) == WEFT_EINVAL);
    CHECK(weft_coroutine_init(&co, stacks[0], STACK, count, NULL, 2) == WEFT_EINVAL);
    CHECK(weft_coroutine_init(&co, stacks[0], WEFT_COROUTINE_MIN_STACK - 16, count, NULL, 0) == WEFT_ESTACK);
    CHECK(weft_coroutine_init(&co, stacks[0] + 8, STACK - 16, count, NULL, 0) == WEFT_ESTACK);
    CHECK(weft_coroutine_init(&co, stacks[0], STACK - 8, count, NULL, 0) == WEFT_ESTACK);
    CHECK(weft_coroutine_init(&co, stacks[0], SIZE_MAX & ~(size_t)15, count, NULL, 0) == WEFT_ESTACK);
    CHECK(weft_coroutine_create(NULL, STACK, count, NULL, 0) == WEFT_EINVAL);
    CHECK(weft_coroutine_create(&co, STACK, NULL, NULL, 0) == WEFT_EINVAL);
    CHECK(weft_coroutine_create(&co, STACK, count, NULL, 2) == WEFT_EINVAL);
    CHECK(weft_coroutine_create(&co, WEFT_COROUTINE_MIN_STACK - 1, count, NULL, 0) == WEFT_ESTACK);
    CHECK(weft_coroutine_create(&co, SIZE_MAX, count, NULL, 0) == WEFT_ESTACK);
    CHECK(weft_coroutine_create(&co, (size_t)1 << 62, count, NULL, 0) == WEFT_ENOMEM);
    CHECK(weft_coroutine_resume(NULL, NULL, NULL) == WEFT_EINVAL);
    CHECK(weft_coroutine_resume_inline(NULL, NULL, NULL) == WEFT_EINVAL);
    CHECK(weft_coroutine_resume_ontop(NULL, NULL, NULL, NULL) == WEFT_EINVAL);
    CHECK(weft_coroutine_yield(NULL, NULL, NULL) == WEFT_EINVAL);
    CHECK(weft_coroutine_yield_inline(NULL, NULL, NULL) == WEFT_EINVAL);
    CHECK(weft_coroutine_transfer(NULL, NULL, NULL, NULL) == WEFT_EINVAL);
    CHECK(weft_coroutine_destroy(NULL) == WEFT_EINVAL);
    CHECK(weft_coroutine_reset(NULL, count, NULL) == WEFT_EINVAL);
    CHECK(weft_coroutine_status(NULL) == WEFT_EINVAL);
    CHECK(weft_coroutine_init(&co, stacks[0], STACK, count, NULL, 0) == 0);
    CHECK(weft_coroutine_reset(&co, NULL, NULL) == WEFT_EINVAL);
    CHECK(weft_coroutine_resume_ontop(&co, NULL, NULL, NULL) == WEFT_EINVAL);
    CHECK(weft_coroutine_destroy(&co) == 0);
}

static void foreign(void) {
    const int fills[] = {0, 0xff, 0x55, 0x77};
    for (size_t i = 0; i < sizeof fills / sizeof *fills; i++) {
        weft_coroutine co;
        memset(&co, fills[i], sizeof co);
        CHECK(weft_coroutine_status(&co) == WEFT_EFOREIGN);
        CHECK(weft_coroutine_resume(&co, NULL, NULL) == WEFT_EFOREIGN);
        CHECK(weft_coroutine_resume_inline(&co, NULL, NULL) == WEFT_EFOREIGN);
        CHECK(weft_coroutine_yield(&co, NULL, NULL) == WEFT_EFOREIGN);
        CHECK(weft_coroutine_yield_inline(&co, NULL, NULL) == WEFT_EFOREIGN);
        CHECK(weft_coroutine_destroy(&co) == WEFT_EFOREIGN);
        CHECK(weft_coroutine_reset(&co, count, NULL) == WEFT_EFOREIGN);
    }
}

/* What a coroutine sees when it misuses itself and its resumer; others: the coroutines of the test. */
static weft_coroutine others[3];
static int from_thread[2];

static void* on_a_thread(void* co) {
    from_thread[0] = weft_coroutine_resume_inline(co, NULL, NULL);
    from_thread[1] = weft_coroutine_yield_inline(co, NULL, NULL);
    return NULL;
}

static void* inner(weft_coroutine* co, void* value) {
    (void)value;
    CHECK(weft_coroutine_status(&others[0]) == WEFT_COROUTINE_RUNNING);
    CHECK(weft_coroutine_resume(&others[0], NULL, NULL) == WEFT_ERUNNING); /* it waits for this one */
    CHECK(weft_coroutine_yield(&others[0], NULL, NULL) == WEFT_EOUTSIDE);  /* another's name */
    CHECK(weft_coroutine_yield_inline(&others[0], NULL, NULL) == WEFT_EOUTSIDE);
    CHECK(weft_coroutine_transfer(&others[0], &others[2], NULL, NULL) == WEFT_EOUTSIDE);
    CHECK(weft_coroutine_transfer(co, &others[0], NULL, NULL) == WEFT_ERUNNING);
    CHECK(weft_coroutine_transfer(co, co, NULL, NULL) == WEFT_ERUNNING);
    CHECK(weft_coroutine_destroy(&others[0]) == WEFT_ERUNNING);
    return NULL;
}

static void* misuser(weft_coroutine* co, void* value) {
    (void)value;
    CHECK(weft_coroutine_resume(co, NULL, NULL) == WEFT_ERUNNING);
    CHECK(weft_coroutine_resume_inline(co, NULL, NULL) == WEFT_ERUNNING);
    CHECK(weft_coroutine_destroy(co) == WEFT_ERUNNING);
    CHECK(weft_coroutine_reset(co, count, NULL) == WEFT_ERUNNING);
    CHECK(weft_coroutine_yield_inline(&others[1], NULL, NULL) == WEFT_EOUTSIDE); /* suspended */
    CHECK(weft_coroutine_init(&others[2], stacks[2], STACK, count, NULL, co->flags ^ WEFT_COROUTINE_OWN_FPCW) == 0);
    CHECK(weft_coroutine_transfer(co, &others[2], NULL, NULL) == WEFT_EMODE);
    CHECK(weft_coroutine_resume_inline(&others[1], NULL, NULL) == 0);
    CHECK(weft_coroutine_transfer(co, &others[1], NULL, NULL) == WEFT_EFINISHED);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, on_a_thread, co) == 0);
    pthread_join(thread, NULL);
    CHECK(from_thread[0] == WEFT_ERUNNING);
    CHECK(from_thread[1] == WEFT_EOUTSIDE);
    return NULL;
}

static void misuse(void) {
    for (int f = 0; f < 2; f++) {
        CHECK(weft_coroutine_init(&others[0], stacks[0], STACK, misuser, NULL, all_flags[f]) == 0);
        CHECK(weft_coroutine_init(&others[1], stacks[1], STACK, inner, NULL, all_flags[f]) == 0);
        CHECK(weft_coroutine_yield(&others[0], NULL, NULL) == WEFT_EOUTSIDE);
        CHECK(weft_coroutine_yield_inline(&others[0], NULL, NULL) == WEFT_EOUTSIDE);
        CHECK(weft_coroutine_transfer(&others[0], &others[1], NULL, NULL) == WEFT_EOUTSIDE);
        CHECK(weft_coroutine_resume_inline(&others[0], NULL, NULL) == 0);
        CHECK(weft_coroutine_yield_inline(&others[0], NULL, NULL) == WEFT_EOUTSIDE);
        for (int i = 0; i < 3; i++) CHECK(weft_coroutine_destroy(&others[i]) == 0);
    }
}

/* Three coroutines hand a value round; only the first was resumed by main, and who holds it at the end of a round
 * yields it to main. */
static void* ring(weft_coroutine* co, void* value) {
    const int me = (int)(co - others);
    for (;;) {
        value = value_of(number(value) + 1);
        if (me == 2)
            CHECK(weft_coroutine_yield_inline(co, value, &value) == 0);
        else
            CHECK(weft_coroutine_transfer(co, &others[me + 1], value, &value) == 0);
    }
    return NULL;
}

static void transfers(void) {
    for (int f = 0; f < 2; f++) {
        for (int i = 0; i < 3; i++)
            CHECK(weft_coroutine_init(&others[i], stacks[i], STACK, ring, NULL, all_flags[f]) == 0);
        void* value = NULL;
        for (uintptr_t round = 1; round <= 50; round++) {
            CHECK(weft_coroutine_resume_inline(&others[0], value, &value) == 0);
            CHECK(number(value) == 3 * round);
        }
        for (int i = 0; i < 3; i++) CHECK(weft_coroutine_status(&others[i]) == WEFT_COROUTINE_SUSPENDED);
        CHECK(weft_coroutine_resume(&others[2], value_of(100), &value) == 0); /* in the middle of the ring */
        CHECK(number(value) == 101);
        for (int i = 0; i < 3; i++) CHECK(weft_coroutine_destroy(&others[i]) == 0);
    }
}

static const weft_coroutine* on_top_of;
static void* twice(void* value) {
    const char here = 0;
    CHECK((size_t)(&here - on_top_of->lo) < on_top_of->size);
    return value_of(2 * number(value));
}

static void ontop(void) {
    for (int f = 0; f < 2; f++) {
        for (int y = 0; y < 2; y++) {
            weft_coroutine co;
            CHECK(weft_coroutine_init(&co, stacks[0], STACK, count, (void*)&yield_forms[y], all_flags[f]) == 0);
            on_top_of = &co;
            void* got = NULL;
            for (uintptr_t i = 1; i < 20; i++) {
                CHECK(weft_coroutine_resume_ontop(&co, twice, value_of(i), &got) == 0);
                CHECK(number(got) == 2 * i + 1);
            }
            CHECK(weft_coroutine_resume_ontop(&co, twice, NULL, &got) == 0);
            CHECK(weft_coroutine_resume_ontop(&co, twice, NULL, &got) == WEFT_EFINISHED);
            CHECK(weft_coroutine_destroy(&co) == 0);
        }
    }
}

static void made_stacks(void) {
    weft_coroutine co;
    for (int i = 0; i < 3; i++) {
        CHECK(weft_coroutine_create(&co, 10000, count, (void*)&yield_forms[1], 0) == 0);
        void* lo = NULL;
        size_t size = 0;
        weft_coroutine_stack(&co, &lo, &size);
        CHECK(lo != NULL && (uintptr_t)lo % 4096 == 0 && size >= 10000 && size % 4096 == 0);
        void* got = NULL;
        CHECK(weft_coroutine_resume_inline(&co, value_of(1), &got) == 0);
        CHECK(number(got) == 2);
        CHECK(weft_coroutine_destroy(&co) == 0);
        CHECK(weft_coroutine_destroy(&co) == WEFT_EFOREIGN);
    }
    weft_stack s;
    CHECK(weft_stack_map(NULL, 1) == WEFT_EINVAL);
    CHECK(weft_stack_map(&s, 0) == WEFT_ESTACK);
    CHECK(weft_stack_map(&s, SIZE_MAX) == WEFT_ESTACK);
    CHECK(weft_stack_map(&s, 1) == 0);
    memset(s.lo, 1, s.size);
    CHECK(weft_stack_unmap(&s) == 0);
    CHECK(weft_stack_unmap(&s) == WEFT_EINVAL);
    CHECK(weft_stack_unmap(NULL) == WEFT_EINVAL);
}

static int rounding_seen[2];
static void* round_up(weft_coroutine* co, void* value) {
    rounding_seen[0] = fegetround();
    fesetround(FE_UPWARD);
    weft_coroutine_yield_inline(co, NULL, &value);
    rounding_seen[1] = fegetround();
    return NULL;
}

static void control_words(void) {
    for (int f = 0; f < 2; f++) {
        const int own = all_flags[f] != 0;
        weft_coroutine co;
        fesetround(FE_TONEAREST);
        CHECK(weft_coroutine_init(&co, stacks[0], STACK, round_up, NULL, all_flags[f]) == 0);
        fesetround(FE_DOWNWARD);
        CHECK(weft_coroutine_resume_inline(&co, NULL, NULL) == 0);
        CHECK(fegetround() == (own ? FE_DOWNWARD : FE_UPWARD));
        fesetround(FE_TOWARDZERO);
        CHECK(weft_coroutine_resume_inline(&co, NULL, NULL) == 0);
        CHECK(fegetround() == FE_TOWARDZERO || !own);
        CHECK(rounding_seen[0] == (own ? FE_TONEAREST : FE_DOWNWARD));
        CHECK(rounding_seen[1] == (own ? FE_UPWARD : FE_TOWARDZERO));
        fesetround(FE_TONEAREST);
        CHECK(weft_coroutine_destroy(&co) == 0);
    }
}

static void names(void) {
    for (int e = WEFT_ESTOPPED; e <= 0; e++) {
        CHECK(strcmp(weft_error_name(e), weft_error_name(1)) != 0);
        for (int other = WEFT_ESTOPPED; other < e; other++)
            CHECK(strcmp(weft_error_name(e), weft_error_name(other)) != 0);
    }
}

int main(void) {
    values_and_states();
    bad_arguments();
    foreign();
    misuse();
    transfers();
    ontop();
    made_stacks();
    control_words();
    names();
    if (failures != 0) fprintf(stderr, "%d checks failed\n", failures);
    return failures != 0;
}
