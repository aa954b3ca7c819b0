// SPDX-License-Identifier: MIT
// The floor of a context switch: stack pointer, frame pointer and pc move, everything else is declared
// clobbered, so that the compiler saves just what is live at that place. No library can be below it
// while contexts have stacks of their own. Inline: it neither calls nor returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace bench::floor {

struct context {
    void* sp = nullptr;
    void* bp = nullptr;
    const void* pc = nullptr;
};

#if defined(__x86_64__)

#ifdef __AVX512F__
#define BENCH_AVX512_REGISTERS                                                                                         \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",      \
        "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define BENCH_AVX512_REGISTERS
#endif

/// Leaves the running context in from and continues to, passing value; returns the value that the
/// next switch to from passes.
[[gnu::always_inline]] inline std::uint64_t switch_to(context* from, context* to, std::uint64_t value = 0) {
    register std::uint64_t passed asm("rdx") = value;
    asm volatile("leaq 1f(%%rip), %%rax\n\t"
                 "movq %%rsp, 0(%[from])\n\t"
                 "movq %%rbp, 8(%[from])\n\t"
                 "movq %%rax, 16(%[from])\n\t"
                 "movq 0(%[to]), %%rsp\n\t"
                 "movq 8(%[to]), %%rbp\n\t"
                 "jmpq *16(%[to])\n"
                 "1:"
                 : [from] "+D"(from), [to] "+S"(to), "+r"(passed)
                 :
                 : "rax", "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2",
                   "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                   "xmm15", "memory", "cc" BENCH_AVX512_REGISTERS);
    return passed;
}

/// Calls fn(arg) on the stack whose top is sp, and comes back: the least that a call there costs.
[[gnu::always_inline]] inline void call_on(void* sp, void (*fn)(void*), void* arg) {
    asm volatile("movq %%rsp, %%rbx\n\t"
                 "movq %[sp], %%rsp\n\t"
                 "callq *%[fn]\n\t"
                 "movq %%rbx, %%rsp"
                 : [sp] "+a"(sp), [fn] "+c"(fn), "+D"(arg)
                 :
                 : "rbx", "rdx", "rsi", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
                   "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory",
                   "cc" BENCH_AVX512_REGISTERS);
}

/// Room that a context must leave alone below its stack pointer: call_on and the entry push there.
inline constexpr std::size_t entry_bias = 8; // as after a call: the ABI's alignment on entry

#elif defined(__aarch64__)

#define BENCH_ALL_BUT_X0_TO_X2                                                                                         \
    "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x30",    \
        "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", \
        "v25", "v26", "v27", "v28", "v29", "v30", "v31", "memory", "cc"

[[gnu::always_inline]] inline std::uint64_t switch_to(context* from, context* to, std::uint64_t value = 0) {
    register context* leave asm("x0") = from;
    register context* enter asm("x1") = to;
    register std::uint64_t passed asm("x2") = value;
    asm volatile("adr x3, 1f\n\t"
                 "mov x4, sp\n\t"
                 "stp x4, x29, [x0]\n\t"
                 "str x3, [x0, #16]\n\t"
                 "ldp x4, x29, [x1]\n\t"
                 "ldr x3, [x1, #16]\n\t"
                 "mov sp, x4\n\t"
                 "br x3\n"
                 "1:"
                 : "+r"(leave), "+r"(enter), "+r"(passed)
                 :
                 : "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "v8", "v9", "v10", "v11",
                   "v12", "v13", "v14", "v15", BENCH_ALL_BUT_X0_TO_X2);
    return passed;
}

[[gnu::always_inline]] inline void call_on(void* sp, void (*fn)(void*), void* arg) {
    register void* x0 asm("x0") = arg;
    register void* x1 asm("x1") = sp;
    register void (*x2)(void*) asm("x2") = fn;
    asm volatile("mov x19, sp\n\t"
                 "mov sp, x1\n\t"
                 "blr x2\n\t"
                 "mov sp, x19"
                 : "+r"(x0), "+r"(x1), "+r"(x2)
                 :
                 : "x19", BENCH_ALL_BUT_X0_TO_X2);
}

inline constexpr std::size_t entry_bias = 0;

#else
#error "bench/floor.hpp has no floor for this CPU yet: write switch_to and call_on"
#endif

/// The highest usable address of a fresh stack, aligned for a call; never freed.
inline char* new_stack(std::size_t size = 64 * 1024) {
    auto* low = static_cast<char*>(std::aligned_alloc(4096, size));
    if (low == nullptr) std::abort();
    return low + size - 64;
}

/// A context that starts with entry(), which must not return and finds everything in globals.
inline context fresh(void (*entry)(), std::size_t size = 64 * 1024) {
    return {new_stack(size) - entry_bias, nullptr, reinterpret_cast<const void*>(entry)};
}

} // namespace bench::floor
