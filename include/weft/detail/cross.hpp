// SPDX-License-Identifier: MIT
// The crossing from one goroutine to another as inline code: what weft_switchto does by a call. The compiler saves
// the registers that hold something at this place, and no others; and nothing is called or returned
// from, so that the processor's return predictor stays in step on both stacks.
#pragma once

#include <cstdint>

#pragma GCC visibility push(default)
namespace weft {

namespace rt {
struct g;
}

namespace detail {

/// A goroutine that is being left and the one that runs next.
struct crossing {
    rt::g* from;
    rt::g* to;
};

/// Everything of a yield but the crossing itself; to is null when nothing is left to do.
crossing begin_yield();
/// A whole yield, for compilers and CPUs that cross() below does not know.
void yield_by_call();

} // namespace detail

// Clang keeps a base pointer in rbx in functions with over-aligned and variable-sized locals, where it takes a clobber
// of rbx for none: with it, and where this is said to be unwanted, the crossing is a call.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(WEFT_NO_INLINE_CROSSING)
#define WEFT_CROSS_INLINE 1

// While sp is another goroutine's and the jump is still to come, the frame is that of the place where the other one
// goes on: its pc and its frame pointer are in its gobuf. Unwinders find the rows where the compiler writes
// its own by the assembler's directives.
#ifdef __GCC_HAVE_DWARF2_CFI_ASM
#define WEFT_CFI_ARRIVE                                                                                                \
    ".cfi_remember_state\n\t"                                                                                          \
    ".cfi_def_cfa 7, 0\n\t"                                                                                            \
    ".cfi_escape 0x10, 16, 2, 0x74, 8\n\t" /* DW_CFA_expression, the return address, DW_OP_breg4 (rsi) 8 */            \
    ".cfi_escape 0x10, 6, 2, 0x74, 16\n\t" /* the same of rbp, DW_OP_breg4 (rsi) 16 */                                 \
    ".cfi_same_value 3\n\t.cfi_same_value 12\n\t.cfi_same_value 13\n\t"                                                \
    ".cfi_same_value 14\n\t.cfi_same_value 15\n\t"
#define WEFT_CFI_ARRIVED ".cfi_same_value 6\n\t"
#define WEFT_CFI_BACK ".cfi_restore_state\n"
#else
#define WEFT_CFI_ARRIVE
#define WEFT_CFI_ARRIVED
#define WEFT_CFI_BACK
#endif
#if defined(__CET__) && (__CET__ & 1)
#define WEFT_LANDING_PAD "endbr64\n"
#else
#define WEFT_LANDING_PAD
#endif

// What cross() below consists of, but for the publication of the goroutine that is left.
#define WEFT_CROSS(publish)                                                                                            \
    asm volatile("{leaq 1f(%%rip), %%rax|lea rax, [rip+1f]}\n\t"                                                       \
                 "{movq %%rax, 8(%%rdi)|mov [rdi+8], rax}\n\t"                                                         \
                 "{movq %%rsp, (%%rdi)|mov [rdi], rsp}\n\t"                                                            \
                 "{movq %%rbp, 16(%%rdi)|mov [rdi+16], rbp}\n\t"                                                       \
                 "{movq (%%rsi), %%rsp|mov rsp, [rsi]}\n\t" WEFT_CFI_ARRIVE                                            \
                 "{movq 16(%%rsi), %%rbp|mov rbp, [rsi+16]}\n\t" WEFT_CFI_ARRIVED publish                              \
                 "{movl $2, 44(%%rsi)|mov DWORD PTR [rsi+44], 2}\n\t"                                                  \
                 "{jmpq *8(%%rsi)|jmp [QWORD PTR [rsi+8]]}\n\t" WEFT_CFI_BACK "nop\n"                                  \
                 "1:\t" WEFT_LANDING_PAD                                                                               \
                 : "+D"(from), "+S"(to)                                                                                \
                 :                                                                                                     \
                 : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory",   \
                   "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",   \
                   "xmm12", "xmm13", "xmm14",                                                                          \
                   "xmm15" WEFT_CLOBBER_X87 WEFT_CLOBBER_MMX WEFT_CLOBBER_AVX512 WEFT_CLOBBER_APX)

#ifdef _SOFT_FLOAT
#define WEFT_CLOBBER_X87
#else
#define WEFT_CLOBBER_X87 , "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)"
#endif
#ifdef __MMX__
#define WEFT_CLOBBER_MMX , "mm0", "mm1", "mm2", "mm3", "mm4", "mm5", "mm6", "mm7"
#else
#define WEFT_CLOBBER_MMX
#endif
#ifdef __AVX512F__
#define WEFT_CLOBBER_AVX512                                                                                            \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",      \
        "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define WEFT_CLOBBER_AVX512
#endif
#ifdef __APX_F__
#define WEFT_CLOBBER_APX                                                                                               \
    , "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25", "r26", "r27", "r28", "r29", "r30", "r31"
#else
#define WEFT_CLOBBER_APX
#endif

namespace detail {

/// How the goroutine that is left becomes visible to others, once its stack is left.
enum class leaving {
    runnable, ///< it stands in the slot behind a queue's tail: the counter whose address g::schedlink holds moves on
    waiting,  ///< somebody may have found it already, and waits for its status to be waiting
};

/// Leaves from for to; returns when somebody continues from. Only after a function that has prepared it, such
/// as begin_yield(). The offsets are those of gobuf (0 sp, 8 pc, 16 bp), of g::schedlink (56) and of g::status (44):
/// to runs in its own code from the end of this on. The nop is for
/// unwinders, which look up "return address minus one". Both dialects of assembler, for -masm=intel.
/// What a function with a target attribute for AVX-512 keeps in the registers that only it has is not saved, if the
/// rest of the file is compiled without: there WEFT_NO_INLINE_CROSSING, or a function in between, is needed.
template <leaving Leaving = leaving::runnable>
[[gnu::always_inline]] inline void cross(rt::g* from, rt::g* to) {
    if constexpr (Leaving == leaving::runnable)
        WEFT_CROSS("{movq 56(%%rdi), %%rax|mov rax, [rdi+56]}\n\t"
                   "{addl $1, (%%rax)|add DWORD PTR [rax], 1}\n\t"); // release: x86 keeps stores in order; one writer
    else
        WEFT_CROSS("{movl $4, 44(%%rdi)|mov DWORD PTR [rdi+44], 4}\n\t");
}

} // namespace detail
#undef WEFT_CROSS
#endif

} // namespace weft
#pragma GCC visibility pop
