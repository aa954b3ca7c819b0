// SPDX-License-Identifier: MIT
// The few facts about a CPU that C++ needs. A port adds its block here and a folder under asm/.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weft::rt::cpu {

#if defined(__x86_64__)
/// Distance from a function's start to a pc inside it. Go: sys.PCQuantum.
inline constexpr std::uintptr_t pc_quantum = 1;
/// Control words of a fresh goroutine: the psABI's process start values (x86-64 psABI, table 3.1 and 3.2).
inline constexpr std::uint32_t initial_fpcw = 0x1f80;
inline constexpr std::uint16_t initial_x87cw = 0x037f;

/// A pause in a spinning loop.
inline void pause() noexcept { asm volatile("pause"); }

/// The control words in force.
inline void read_control_words(std::uint32_t& fpcw, std::uint16_t& x87cw) noexcept {
    asm volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(fpcw), "=m"(x87cw));
}

/// Whether one context may go on with another's: MXCSR's low six bits are sticky flags (psABI 3.2.1).
inline bool same_control_words(std::uint32_t a, std::uint16_t x87a, std::uint32_t b, std::uint16_t x87b) noexcept {
    return ((a ^ b) & 0xffc0) == 0 && x87a == x87b;
}

/// Puts them in force; drains the pipeline. x87 flags are cleared: none may trap under the new word.
inline void write_control_words(const std::uint32_t& fpcw, const std::uint16_t& x87cw) noexcept {
    asm volatile("ldmxcsr %0\n\tfnclex\n\tfldcw %1" : : "m"(fpcw), "m"(x87cw));
}

/// A system call without libc: the result, or −errno. Source: psABI x86-64, section A.2.1.
inline long system_call(long number, long a, long b, long c) noexcept {
    long result;
    asm volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
inline constexpr std::uintptr_t pc_quantum = 4;
/// FPCR at process start (AAPCS64 section 6.1.2: round to nearest, no traps).
inline constexpr std::uint32_t initial_fpcw = 0;
inline constexpr std::uint16_t initial_x87cw = 0;

inline void pause() noexcept { asm volatile("yield"); }

inline void read_control_words(std::uint32_t& fpcw, std::uint16_t& x87cw) noexcept {
    std::uint64_t word;
    asm volatile("mrs %0, fpcr" : "=r"(word));
    fpcw = static_cast<std::uint32_t>(word);
    x87cw = 0;
}

inline bool same_control_words(std::uint32_t a, std::uint16_t, std::uint32_t b, std::uint16_t) noexcept {
    return a == b;
}

inline void write_control_words(const std::uint32_t& fpcw, const std::uint16_t&) noexcept {
    asm volatile("msr fpcr, %0" : : "r"(static_cast<std::uint64_t>(fpcw)));
}

/// Source: Linux, syscall(2), table "Architecture calling conventions".
inline long system_call(long number, long a, long b, long c) noexcept {
    register long x8 asm("x8") = number;
    register long x0 asm("x0") = a;
    register long x1 asm("x1") = b;
    register long x2 asm("x2") = c;
    asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}
#else
#error "weft has no port to this CPU: docs/porting.md says what one takes"
#endif

/// Stack alignment at every suspended context and at every call.
inline constexpr std::size_t stack_align = 16;
/// Two neighbouring writers must not share this many bytes.
inline constexpr std::size_t cache_line = 64;

} // namespace weft::rt::cpu
