/* SPDX-License-Identifier: MIT */
/* weft-core: contexts, that is places where execution can be left and taken up again, each on a stack
 * of its own. No threads, no allocation but in weft_stack_map, no global state. Valid C11 and C++.
 *
 * What a switch preserves is what the psABI says a call preserves: callee-saved registers and the
 * control words (MXCSR control bits and x87 control word; FPCR). What it does not: the sticky
 * floating-point flags, errno, the signal mask, thread-locals, and C++'s state of exceptions being
 * caught. A context is entered by one thread at a time; another thread may take it up later, if the
 * program orders the two. Source: System V psABI x86-64, section 3.2.1; AAPCS64, section 6.1. */
#ifndef WEFT_CONTEXT_H
#define WEFT_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WEFT_API __attribute__((visibility("default")))
#else
#define WEFT_API
#endif

/* What the functions of weft-core return: 0, or one of these. weft_error_name has the texts. */
enum {
    WEFT_EINVAL = -1,    /* a null argument, or unknown flags */
    WEFT_ESTACK = -2,    /* a stack that is too small, ends beyond the address space, or is not a multiple of 16 */
    WEFT_ENOMEM = -3,    /* no memory, or no mapping left (vm.max_map_count), for a stack */
    WEFT_EFOREIGN = -4,  /* no coroutine: not initialised, or destroyed */
    WEFT_ERUNNING = -5,  /* the coroutine runs, or waits for one that it resumed */
    WEFT_EFINISHED = -6, /* the coroutine's function has returned */
    WEFT_EOUTSIDE = -7,  /* left by somebody who is not on its stack */
    WEFT_EMODE = -8,     /* transfer between a coroutine with its own control words and one without */
    WEFT_ESTOPPED = -9   /* C++: a coroutine that was told to stop yields again */
};

/* What an error means, in a few words; "no such error" for other numbers. Any thread, any stack. */
WEFT_API const char* weft_error_name(int error);
/* Ends the process: "fatal error: weft: " and the error's name on stderr, exit status 2. Uses no libc. */
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
WEFT_API void
weft_fail(int error);

/* The context neither keeps nor restores the control words: it runs with those it finds. Saves the
 * time of reading them (2 to 3 ns on some CPUs). */
#define WEFT_CONTEXT_SHARE_FPCW 1u

/* A context that does not run. The fields are the library's; their offsets are part of the ABI. */
typedef struct weft_context {
    void* sp;       /* the stack pointer with which it goes on */
    void* pc;       /* where it goes on */
    void* bp;       /* rbp or x29 */
    void* reserved; /* rbx or x19 of one that was left by weft_context_switch_inline */
    uint32_t fpcw;  /* MXCSR or FPCR */
    uint16_t x87cw; /* of x86-64 */
    uint16_t flags; /* WEFT_CONTEXT_SHARE_FPCW or 0 */
} weft_context;

/* The function that a context runs: arg as given to weft_context_make, value as given by the first
 * switch to it. It must not return (the process ends, "weft: a context's function returned"): its last
 * act is a switch away. */
typedef void weft_context_fn(void* arg, void* value);

/* Makes c run fn(arg, value) on the stack from lo to lo + size when it is first switched to. The stack
 * is the caller's, and stays in use until c is left for the last time. The control words are those
 * of the caller. flags: 0 or WEFT_CONTEXT_SHARE_FPCW. Returns 0, WEFT_EINVAL (an argument but arg is null, or flags has
 * unknown bits) or WEFT_ESTACK (size is below WEFT_CONTEXT_MIN_STACK). */
WEFT_API int weft_context_init(weft_context* c, void* lo, size_t size, weft_context_fn* fn, void* arg, unsigned flags);
/* The least size of a context's stack, in bytes. */
#define WEFT_CONTEXT_MIN_STACK 1024u

/* Leaves the running context, to be found in from, and continues to, which gets value. Returns the value
 * that the switch back to from gives. from needs no initialisation but flags, 0 or
 * WEFT_CONTEXT_SHARE_FPCW; a zeroed structure will do. Any stack. */
WEFT_API void* weft_context_switch(weft_context* from, weft_context* to, void* value);

/* What runs on top of a context: gets the value given, returns the one that the context gets. */
typedef void* weft_ontop_fn(void* value);

/* As weft_context_switch, but fn(value) is called on to's stack first, and to gets what it returns. A fresh
 * context's function begins with it. If fn throws (C++), the exception appears where to was left, if that was a call of
 * weft_context_switch or this; on a fresh context std::terminate is called; where to was left by the inline switch,
 * what happens is undefined. Boost.Context: ontop_fcontext. */
WEFT_API void* weft_context_switch_ontop(weft_context* from, weft_context* to, weft_ontop_fn* fn, void* value);

/* A stack with a guard page below it: an overflow is a SIGSEGV, not a broken neighbour. */
typedef struct weft_stack {
    void* lo;        /* the lowest byte that may be used */
    size_t size;     /* from there on */
    size_t valgrind; /* the library's */
} weft_stack;

/* Maps a stack of at least size bytes, rounded up to whole pages, for a context or a coroutine. Memory comes by touch.
 * Returns 0, WEFT_EINVAL (s is null), WEFT_ESTACK (size is 0 or too large to round) or WEFT_ENOMEM. mmap(2),
 * mprotect(2): two mappings a stack. With weft_stack_unmap and weft_coroutine_create the only parts of weft-core that
 * need libc. Any thread. */
WEFT_API int weft_stack_map(weft_stack* s, size_t size);
/* Unmaps what weft_stack_map has made; nobody may be on it. Returns 0, or WEFT_EINVAL when s is null or holds none.
 * Afterwards s holds none. Any thread. */
WEFT_API int weft_stack_unmap(weft_stack* s);

/* The rows of weft_context_switch_inline for unwinders, where the compiler writes its own by the assembler's
 * directives. While sp is to's and the jump is still to come, the frame is that of the place where to goes on:
 * CFA = sp, and the return address and the frame pointer are those in to. WEFT_NO_CFI leaves the rows out, here
 * and in weft's other headers: for Clang with -fno-asynchronous-unwind-tables, whose functions may have
 * no table to put them in. */
#if !defined(__GCC_HAVE_DWARF2_CFI_ASM) || defined(WEFT_NO_CFI)
#define WEFT_CONTEXT_ARRIVE
#define WEFT_CONTEXT_ARRIVED
#define WEFT_CONTEXT_BACK
#elif defined(__x86_64__)
/* DWARF: rsi is 4, rbp 6, rsp 7, the return address 16, DW_CFA_expression 0x10, DW_OP_breg4 0x74. */
#define WEFT_CONTEXT_ARRIVE                                                                                            \
    ".cfi_remember_state\n\t"                                                                                          \
    ".cfi_def_cfa 7, 0\n\t"                                                                                            \
    ".cfi_escape 0x10, 16, 2, 0x74, 8\n\t"                                                                             \
    ".cfi_escape 0x10, 6, 2, 0x74, 16\n\t"                                                                             \
    ".cfi_same_value 3\n\t.cfi_same_value 12\n\t.cfi_same_value 13\n\t.cfi_same_value 14\n\t.cfi_same_value 15\n\t"
#define WEFT_CONTEXT_ARRIVED ".cfi_same_value 6\n\t"
#define WEFT_CONTEXT_BACK ".cfi_restore_state\n\t"
#elif defined(__aarch64__)
/* DWARF: x0 to x30 are 0 to 30, sp is 31, d8 to d15 are 72 to 79, DW_OP_breg1 0x71. */
#define WEFT_CONTEXT_ARRIVE                                                                                            \
    ".cfi_remember_state\n\t"                                                                                          \
    ".cfi_def_cfa 31, 0\n\t"                                                                                           \
    ".cfi_register 30, 16\n\t"                                                                                         \
    ".cfi_escape 0x10, 29, 2, 0x71, 16\n\t"                                                                            \
    ".cfi_same_value 19\n\t.cfi_same_value 20\n\t.cfi_same_value 21\n\t.cfi_same_value 22\n\t.cfi_same_value 23\n\t"   \
    ".cfi_same_value 24\n\t.cfi_same_value 25\n\t.cfi_same_value 26\n\t.cfi_same_value 27\n\t.cfi_same_value 28\n\t"   \
    ".cfi_same_value 72\n\t.cfi_same_value 73\n\t.cfi_same_value 74\n\t.cfi_same_value 75\n\t.cfi_same_value 76\n\t"   \
    ".cfi_same_value 77\n\t.cfi_same_value 78\n\t.cfi_same_value 79\n\t"
#define WEFT_CONTEXT_ARRIVED ".cfi_same_value 29\n\t"
#define WEFT_CONTEXT_BACK ".cfi_restore_state\n\t"
#endif

/* The landing pad at the place where weft_context_switch_inline goes on, in code that is built with such pads:
 * -fcf-protection=branch on x86-64, -mbranch-protection=bti on AArch64 (as a hint, for any assembler). */
#if defined(__CET__) && (__CET__ & 1)
#define WEFT_CONTEXT_PAD "endbr64\n\t"
#elif defined(__ARM_FEATURE_BTI_DEFAULT)
#define WEFT_CONTEXT_PAD "hint #36\n\t"
#else
#define WEFT_CONTEXT_PAD
#endif

#if defined(__GNUC__) && (defined(__x86_64__) || defined(__aarch64__)) && !defined(WEFT_NO_INLINE_SWITCH)
#define WEFT_INLINE_SWITCH 1
#else
#define WEFT_INLINE_SWITCH 0
#endif

/* Registers that only some builds know. */
#if defined(__ARM_FEATURE_SVE) && defined(__clang__) /* which has no name for ffr, and keeps nothing there */
#define WEFT_CONTEXT_SVE                                                                                               \
    , "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13", "p14", "p15"
#elif defined(__ARM_FEATURE_SVE)
#define WEFT_CONTEXT_SVE                                                                                               \
    , "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13", "p14", "p15", "ffr"
#else
#define WEFT_CONTEXT_SVE
#endif
#ifdef __APX_F__
#define WEFT_CONTEXT_APX                                                                                               \
    , "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25", "r26", "r27", "r28", "r29", "r30", "r31"
#else
#define WEFT_CONTEXT_APX
#endif

/* The same as inline code, for GCC and Clang: the compiler saves only the registers that hold
 * something, and nothing is called or returned from, so the processor's return predictor stays in
 * step. Never touches the control words, so both contexts must have WEFT_CONTEXT_SHARE_FPCW. Such contexts
 * may be left by one form and continued by the other. With other compilers and CPUs, and with WEFT_NO_INLINE_SWITCH,
 * it is the call. */
#if WEFT_INLINE_SWITCH && defined(__x86_64__)
static inline void* weft_context_switch_inline(weft_context* from, weft_context* to, void* value) {
    void* given = value;
    void* kept;
    /* rbp and rsp move by hand. rbx waits in from and comes back through to, which is from then: Clang may
     * keep its base pointer there, and takes a clobber of it for none. Every other register is the compiler's to save
     * if it is live. The red zone below rsp stays as it is: nothing is pushed. The nop is never run: it stands where
     * unwinders look for the rows of 1, at the address before, and must not find those of the arrival. */
    __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
                     "movq %%rax, 8(%[from])\n\t"
                     "movq %%rsp, (%[from])\n\t"
                     "movq %%rbp, 16(%[from])\n\t"
                     "movq %%rbx, 24(%[from])\n\t"
                     "movq (%[to]), %%rsp\n\t" WEFT_CONTEXT_ARRIVE "movq 16(%[to]), %%rbp\n\t" WEFT_CONTEXT_ARRIVED
                     "jmpq *8(%[to])\n\t" WEFT_CONTEXT_BACK "nop\n\t"
                     ".p2align 4\n"
                     "1:\t" WEFT_CONTEXT_PAD "movq 24(%[to]), %%rbx"
                     : "+d"(given), [from] "+D"(from), [to] "+S"(to), "=b"(kept)
                     :
                     : "rax", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory", "mm0", "mm1",
                       "mm2", "mm3", "mm4", "mm5", "mm6", "mm7", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)",
                       "st(6)", "st(7)", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                       "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15" WEFT_CONTEXT_APX
#ifdef __AVX512F__
                       ,
                       "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",
                       "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6",
                       "k7"
#endif
    );
    (void)kept;
    return given;
}
#elif WEFT_INLINE_SWITCH
static inline void* weft_context_switch_inline(weft_context* from, weft_context* to, void* value) {
    register weft_context* leaving __asm__("x0") = from;
    register weft_context* arriving __asm__("x1") = to;
    register void* given __asm__("x2") = value;
    register void* kept __asm__("x19");
    /* x29 and sp move by hand. Clang may keep its base pointer in x19 and refuses it as a clobber: it
     * waits in the context, which whoever continues it has in x1. The nop: as on x86-64. */
    __asm__ volatile("adr x9, 1f\n\t"
                     "mov x10, sp\n\t"
                     "str x9, [x0, #8]\n\t"
                     "str x10, [x0]\n\t"
                     "str x29, [x0, #16]\n\t"
                     "str x19, [x0, #24]\n\t"
                     "ldr x9, [x1]\n\t"
                     "ldr x16, [x1, #8]\n\t"
                     "mov sp, x9\n\t" WEFT_CONTEXT_ARRIVE "ldr x29, [x1, #16]\n\t" WEFT_CONTEXT_ARRIVED
                     "br x16\n\t" WEFT_CONTEXT_BACK "nop\n"
                     "1:\t" WEFT_CONTEXT_PAD "ldr x19, [x1, #24]\n\t"
                     : "+r"(given), "+r"(leaving), "+r"(arriving), "=r"(kept)
                     :
                     : "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",
                       "x18", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "cc", "memory",
                       "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14",
                       "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28",
                       "v29", "v30", "v31" WEFT_CONTEXT_SVE);
    return given;
}
#else
static inline void* weft_context_switch_inline(weft_context* from, weft_context* to, void* value) {
    return weft_context_switch(from, to, value);
}
#endif

#undef WEFT_CONTEXT_ARRIVE
#undef WEFT_CONTEXT_ARRIVED
#undef WEFT_CONTEXT_BACK
#undef WEFT_CONTEXT_SVE
#undef WEFT_CONTEXT_APX
#undef WEFT_CONTEXT_PAD

#ifdef __cplusplus
}
#endif

#endif
