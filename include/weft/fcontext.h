/* SPDX-License-Identifier: MIT */
/* weft-fcontext: the switch of Boost.Context, by its names and its ABI, in a library of its own. Boost.Context,
 * Boost.Coroutine2, Boost.Fiber and others that call make_fcontext, jump_fcontext and ontop_fcontext run on it
 * unchanged; they declare the three themselves and need no header of ours. This one is for programs that use the
 * switch without Boost. Its own names let it stand beside Boost's headers, in any order. docs/fcontext.md. Valid
 * C11 and C++.
 *
 * What a jump preserves is what the psABI says a call preserves: callee-saved registers and the control words
 * (MXCSR control bits and x87 control word; FPCR). No threads, no allocation, no global state. A context is
 * continued once: each jump to it makes that handle stale, and gives the other side a new one. One thread at a
 * time; another thread may take a context up later, if the program orders the two. Contexts are those of this
 * library alone: one that Boost's own assembly has made or left is none. Source: boost/context/detail/fcontext.hpp
 * (Boost 1.61 and later). */
#ifndef WEFT_FCONTEXT_H
#define WEFT_FCONTEXT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A context at rest: Boost's fcontext_t. It points into the context's stack, which is all that a context consists
 * of. */
typedef void* weft_fcontext;

/* What one context hands to another: Boost's transfer_t. fctx: the context that was left, to be continued by a
 * jump; data: what it was left with. Returned in two registers. */
typedef struct weft_transfer {
    weft_fcontext fctx; /* the context that was left */
    void* data;         /* what it was left with */
} weft_transfer;

/* The function that a context runs. It must not return (the process ends, "weft: an fcontext's function returned",
 * where Boost's ends with exit status 0): its last act is a jump or ontop away. An exception must not leave it
 * either (std::terminate). */
typedef void weft_fcontext_fn(weft_transfer from);

/* A function that ontop_fcontext runs in another context. */
typedef weft_transfer weft_fcontext_ontop_fn(weft_transfer from);

/* Makes a context that runs fn when it is first jumped to, with the control words of the caller. stack_top: the
 * upper end of its stack, of any alignment; size is not looked at, as in Boost. The stack stays in use until the
 * context is left for the last time. Any stack, any thread. Boost: make_fcontext. */
extern weft_fcontext weft_make_fcontext(void* stack_top, size_t size, weft_fcontext_fn* fn) __asm__("make_fcontext");

/* Leaves the running context and continues to: a fresh one begins with {the caller's context, data}, one that was
 * left by a jump or by ontop gets that as the result of its call. Returns the same of whoever continues the
 * caller, maybe on another thread. Any stack. A null to faults here, in the caller's context. Boost:
 * jump_fcontext. */
extern weft_transfer weft_jump_fcontext(weft_fcontext to, void* data) __asm__("jump_fcontext");

/* The same, but what to gets is what fn({the caller's context, data}) returns; fn runs on to's stack, as if to had
 * called it where it was left. fn may throw, which is an exception of to's, and may free the stack of the caller,
 * if that is not to come back. In a fresh context, which has nobody to catch anything yet, fn must not throw. Any
 * stack. Boost: ontop_fcontext. */
extern weft_transfer weft_ontop_fcontext(weft_fcontext to, void* data,
                                         weft_fcontext_ontop_fn* fn) __asm__("ontop_fcontext");

#ifdef __cplusplus
}
#endif

#endif
