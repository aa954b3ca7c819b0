/* SPDX-License-Identifier: MIT */
/* weft-core: asymmetric coroutines on the contexts of context.h. A coroutine is resumed with a value, runs on a
 * stack of its own until it yields a value, and goes on from there when it is resumed again. Valid C11 and C++.
 *
 * No threads, no global state, and no allocation but in weft_coroutine_create. So nobody knows "the current
 * coroutine": a coroutine yields by naming itself, and whether it is the one that runs is checked. Every error is a
 * code, in release builds too; the checks are a few instructions with predictable branches.
 *
 * A coroutine may resume others, to any depth its resumers' stacks allow. It may be resumed by another
 * thread than before, if the program orders the two. That two threads resume one at the same time is noticed
 * (WEFT_ERUNNING) only when the one sees what the other wrote: a mistake that is made, not a race that is won.
 *
 * What a switch does not preserve: context.h. An exception must not leave a coroutine's function (std::terminate is
 * called); weft/coroutine.hpp lets it. How C++, signals, fork and sanitizers get on with it: docs/embedding.md. */
#ifndef WEFT_COROUTINE_H
#define WEFT_COROUTINE_H

#include "weft/context.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weft_coroutine weft_coroutine;

/* What a coroutine runs, on its own stack: value is what the first resume gives; what it returns, the last resume
 * gets. co is needed to yield, and has user. */
typedef void* weft_coroutine_fn(weft_coroutine* co, void* value);

/* A place for a coroutine; the caller says where it is, and it stays there until the coroutine is finished
 * or destroyed. Size and offsets are part of the ABI; the fields but user are the library's. */
struct weft_coroutine {
    weft_context self;                /* where it goes on, while it is suspended */
    uint32_t state;                   /* WEFT_COROUTINE_STATE_* */
    uint32_t flags;                   /* as given */
    char* lo;                         /* its stack */
    size_t size;                      /* of its stack */
    weft_context caller;              /* where its resumer goes on, while it runs */
    void* user;                       /* yours: the library reads and writes it never but in init, create and reset */
    weft_coroutine_fn* fn;            /* what it runs */
    void (*release)(weft_coroutine*); /* gives a stack back that the library made, or null */
    size_t valgrind;                  /* as in weft_stack */
    struct {
        void* fake_stack; /* AddressSanitizer's, while it is suspended */
        const void* caller_lo;
        size_t caller_size; /* its resumer's stack */
        void* fiber;        /* ThreadSanitizer's */
        void* caller_fiber;
        int entered; /* by what, until it has arrived */
    } tools;         /* used where a sanitizer is present */
};

/* The coroutine keeps floating-point control words of its own (MXCSR control bits and x87 control word; FPCR), those of
 * its maker at first, as a function call would; switches take longer and are never inline. Without it the
 * coroutine runs with the words that it finds, and what it changes stays in force. */
#define WEFT_COROUTINE_OWN_FPCW 1u

/* What a stack must have at least: enough for the switches and a function that calls none. Functions of libc want
 * some 8 KiB, printf and the unwinder 16. */
#define WEFT_COROUTINE_MIN_STACK 2048u

/* The values of state. They are unlikely in memory that never held a coroutine. A coroutine whose
 * switches have more to see to than the registers (control words, sanitizers) has the second of each pair. */
#define WEFT_COROUTINE_STATE_SUSPENDED 0x77656601u
/* The same, by the call. */
#define WEFT_COROUTINE_STATE_SUSPENDED_CALL 0x77656681u
/* It runs. */
#define WEFT_COROUTINE_STATE_RUNNING 0x77656602u
/* The same, by the call. */
#define WEFT_COROUTINE_STATE_RUNNING_CALL 0x77656682u
/* Its function has returned. */
#define WEFT_COROUTINE_STATE_FINISHED 0x77656603u

/* Makes co a coroutine that will run fn on the stack from lo to lo + size, which is the caller's and stays in
 * use until co is finished or destroyed. Both must be multiples of 16. Whatever co held before is overwritten
 * unseen. flags: 0 or WEFT_COROUTINE_OWN_FPCW. Any thread, any stack. Returns 0, WEFT_EINVAL (co, lo or fn is null, or
 * unknown flags) or WEFT_ESTACK (size is below WEFT_COROUTINE_MIN_STACK, a misfit, or beyond the address space). */
WEFT_API int weft_coroutine_init(weft_coroutine* co, void* lo, size_t size, weft_coroutine_fn* fn, void* user,
                                 unsigned flags);

/* The same on a stack of at least stack_size bytes that is mapped for it, with a guard page below
 * (weft_stack_map). weft_coroutine_destroy gives it back. Besides init's errors: WEFT_ENOMEM. */
WEFT_API int weft_coroutine_create(weft_coroutine* co, size_t stack_size, weft_coroutine_fn* fn, void* user,
                                   unsigned flags);

/* Ends what init or create began: gives the stack back that create made. A suspended coroutine's frames are given
 * up where they stand: nothing is unwound, and what they hold is not released. On a caller's stack it does
 * nothing outside sanitizers but make co no coroutine any more, and may be left out. Any thread, but not on co's stack.
 * Returns 0, WEFT_EINVAL (null), WEFT_EFOREIGN or WEFT_ERUNNING. */
WEFT_API int weft_coroutine_destroy(weft_coroutine* co);

/* co, suspended or finished, becomes a new coroutine on the same stack. What holds for the frames of a suspended one
 * in destroy holds here. Returns as destroy; WEFT_EINVAL also when fn is null. */
WEFT_API int weft_coroutine_reset(weft_coroutine* co, weft_coroutine_fn* fn, void* user);

/* Runs co until it yields or its function returns. value is what co's yield gives, or its function gets; *out (out may
 * be null) is what it yields or returns: weft_coroutine_status tells which. Any thread, any stack with
 * a hundred bytes left. Returns 0, or without effect WEFT_EINVAL (co is null), WEFT_EFOREIGN, WEFT_ERUNNING or
 * WEFT_EFINISHED. */
WEFT_API int weft_coroutine_resume(weft_coroutine* co, void* value, void** out);

/* The same, but fn(value) is called on co's stack first, and co gets what it returns. fn must not throw. */
WEFT_API int weft_coroutine_resume_ontop(weft_coroutine* co, weft_ontop_fn* fn, void* value, void** out);

/* Leaves co, which must be the one that the caller runs in, for whoever resumed it; value is what the resume gets.
 * Comes back when co is resumed again; *out (out may be null) is what was given then. On co's stack. Returns 0, or
 * without effect WEFT_EINVAL (co is null), WEFT_EFOREIGN, or WEFT_EOUTSIDE: co does not run, or not
 * here (the caller is on another stack: outside, in another context or coroutine, on another thread). Memory inside
 * co's stack that serves as the stack of something else counts as co's. */
WEFT_API int weft_coroutine_yield(weft_coroutine* co, void* value, void** out);

/* Leaves from, which must be the one that the caller runs in, for to, which must be suspended. to takes over from's
 * resumer, which gets what to yields. from is suspended then, and may be resumed by anybody, or be
 * transferred to. On from's stack. Returns 0 when from goes on, *out as in yield; or without effect yield's errors for
 * from, resume's for to, or WEFT_EMODE: one has WEFT_COROUTINE_OWN_FPCW and the other has not. */
WEFT_API int weft_coroutine_transfer(weft_coroutine* from, weft_coroutine* to, void* value, void** out);

/* What weft_coroutine_status returns. */
enum {
    WEFT_COROUTINE_SUSPENDED = 1, /* not begun, or in a yield or a transfer */
    WEFT_COROUTINE_RUNNING = 2,   /* runs, or waits for a coroutine that it resumed */
    WEFT_COROUTINE_FINISHED = 3   /* its function has returned */
};

#if defined(__GNUC__)
#define WEFT_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define WEFT_LOAD_STATE(co) __atomic_load_n(&(co)->state, __ATOMIC_RELAXED)
#define WEFT_STORE_STATE(co, value) __atomic_store_n(&(co)->state, (value), __ATOMIC_RELAXED)
#else
#define WEFT_LIKELY(condition) (condition)
#define WEFT_LOAD_STATE(co) ((co)->state)
#define WEFT_STORE_STATE(co, value) ((void)((co)->state = (value)))
#endif

/* One of these, or WEFT_EFOREIGN; WEFT_EINVAL for null. Any thread, any stack. */
static inline int weft_coroutine_status(const weft_coroutine* co) {
    if (co == NULL) return WEFT_EINVAL;
    switch (WEFT_LOAD_STATE(co)) {
    case WEFT_COROUTINE_STATE_SUSPENDED:
    case WEFT_COROUTINE_STATE_SUSPENDED_CALL: return WEFT_COROUTINE_SUSPENDED;
    case WEFT_COROUTINE_STATE_RUNNING:
    case WEFT_COROUTINE_STATE_RUNNING_CALL: return WEFT_COROUTINE_RUNNING;
    case WEFT_COROUTINE_STATE_FINISHED: return WEFT_COROUTINE_FINISHED;
    default: return WEFT_EFOREIGN;
    }
}

/* The bounds of co's stack: usable from *lo on, *size bytes. Either may be null. */
static inline void weft_coroutine_stack(const weft_coroutine* co, void** lo, size_t* size) {
    if (lo != NULL) *lo = co->lo;
    if (size != NULL) *size = co->size;
}

/* The call gets the address of a variable of its own, so that the caller's *out may stay in a register. */
static inline int weft_coroutine_by_call(int (*form)(weft_coroutine*, void*, void**), weft_coroutine* co, void* value,
                                         void** out) {
    void* given;
    const int result = form(co, value, &given);
    if (result == 0 && out != NULL) *out = given;
    return result;
}

#if WEFT_INLINE_SWITCH
/* How far above lo the stack pointer is; a large number when it is below. */
static inline uintptr_t weft_coroutine_above(const char* lo) {
    uintptr_t distance;
#if defined(__x86_64__)
    __asm__("movq %%rsp, %0\n\tsubq %1, %0" : "=&r"(distance) : "rm"(lo) : "cc");
#else
    __asm__("sub %0, sp, %1" : "=r"(distance) : "r"(lo));
#endif
    return distance;
}
#endif

/* resume and yield as inline code, where weft_context_switch_inline is (with WEFT_NO_INLINE_SWITCH and elsewhere they
 * are the calls). Contracts and errors are the same, and so are the coroutines: one form may resume
 * what left by the other. A coroutine whose switches have more to see to takes the call by itself. */
static inline int weft_coroutine_resume_inline(weft_coroutine* co, void* value, void** out) {
#if WEFT_INLINE_SWITCH
    if (WEFT_LIKELY(co != NULL && WEFT_LOAD_STATE(co) == WEFT_COROUTINE_STATE_SUSPENDED)) {
        WEFT_STORE_STATE(co, WEFT_COROUTINE_STATE_RUNNING);
        void* const given = weft_context_switch_inline(&co->caller, &co->self, value);
        if (out != NULL) *out = given;
        return 0;
    }
#endif
    return weft_coroutine_by_call(weft_coroutine_resume, co, value, out);
}

/* weft_coroutine_yield as inline code. */
static inline int weft_coroutine_yield_inline(weft_coroutine* co, void* value, void** out) {
#if WEFT_INLINE_SWITCH
    if (WEFT_LIKELY(co != NULL && WEFT_LOAD_STATE(co) == WEFT_COROUTINE_STATE_RUNNING &&
                    weft_coroutine_above(co->lo) < co->size)) {
        WEFT_STORE_STATE(co, WEFT_COROUTINE_STATE_SUSPENDED);
        void* const given = weft_context_switch_inline(&co->self, &co->caller, value);
        if (out != NULL) *out = given;
        return 0;
    }
#endif
    return weft_coroutine_by_call(weft_coroutine_yield, co, value, out);
}

#undef WEFT_LIKELY
#undef WEFT_LOAD_STATE
#undef WEFT_STORE_STATE

#ifdef __cplusplus
}
#endif

#endif
