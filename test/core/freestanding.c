/* SPDX-License-Identifier: MIT */
/* A program without libc: coroutines on the caller's stacks and all of weft-core that goes with them.
 * freestanding.py links it with -nostdlib, looks at its symbols and its size, and runs it. */
#include "weft/coroutine.h"

_Alignas(16) static char stacks[2][8192];
static weft_coroutine a, b;

static void exit_with(long status) {
#if defined(__x86_64__)
    __asm__ volatile("syscall" : : "a"(231L), "D"(status) : "rcx", "r11", "memory");
#else
    register long x8 __asm__("x8") = 94;
    register long x0 __asm__("x0") = status;
    __asm__ volatile("svc #0" : : "r"(x8), "r"(x0) : "memory");
#endif
}

static void* add(void* value) { return (char*)value + 1; }

static void* body(weft_coroutine* co, void* value) {
    weft_coroutine_yield(co, value, &value);
    weft_coroutine_yield_inline(co, value, &value);
    if (co == &a) weft_coroutine_transfer(co, &b, value, &value);
    return value;
}

__attribute__((used)) static void start(void) {
    void* got = stacks;
    int failed = weft_coroutine_init(&a, stacks[0], sizeof stacks[0], body, NULL, 0);
    failed |= weft_coroutine_init(&b, stacks[1], sizeof stacks[1], body, NULL, 0);
    failed |= weft_coroutine_resume(&a, got, &got);
    failed |= weft_coroutine_resume_ontop(&a, add, got, &got);
    failed |= weft_coroutine_resume_inline(&a, got, &got); /* b's first yield */
    failed |= got != stacks[0] + 1;
    failed |= weft_coroutine_resume(&a, got, &got);
    failed |= weft_coroutine_resume(&a, got, &got) != WEFT_EFINISHED;
    failed |= weft_coroutine_reset(&a, body, NULL);
    failed |= weft_coroutine_destroy(&a) | weft_coroutine_destroy(&b);
    exit_with(failed);
    weft_fail(failed);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txorl %ebp, %ebp\n\tandq $-16, %rsp\n\tcall start\n\tud2\n");
#else
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tbl start\n\tbrk #0\n");
#endif
