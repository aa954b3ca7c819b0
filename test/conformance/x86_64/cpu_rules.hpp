// SPDX-License-Identifier: MIT
// What a call preserves on x86-64, with the names that reports use. Source: psABI 3.2.1 and 3.2.2.
#pragma once

#include "core/gobuf.hpp"
#include "harness.hpp"

namespace conf::cpu {

struct rule {
    const char* name;
    std::size_t at;
    std::uint64_t mask = ~std::uint64_t{0}; // which bits of the word
};

inline constexpr rule callee_saved[] = {
    {"rbx", ST_RBX}, {"rbp", ST_RBP}, {"r12", ST_R12}, {"r13", ST_R13}, {"r14", ST_R14}, {"r15", ST_R15},
};

/// MXCSR without its sticky flags; the x87 control word without what is reserved.
inline constexpr rule control_words[] = {
    {"mxcsr rounding", ST_MXCSR, 0x6000},
    {"mxcsr flush-to-zero", ST_MXCSR, 0x8000},
    {"mxcsr denormals-are-zero", ST_MXCSR, 0x0040},
    {"mxcsr exception masks", ST_MXCSR, 0x1f80},
    {"x87 rounding", ST_X87CW, 0x0c00},
    {"x87 precision", ST_X87CW, 0x0300},
    {"x87 exception masks", ST_X87CW, 0x003f},
};

/// Clear at every call and every return.
inline constexpr rule clear[] = {{"direction flag", ST_FLAGS, 0x0400}};

/// What only the small leaf entries promise; each says what it clobbers of them.
inline constexpr rule caller_saved[] = {
    {"rax", ST_RAX}, {"rcx", ST_RCX}, {"rdx", ST_RDX}, {"rsi", ST_RSI}, {"rdi", ST_RDI},
    {"r8", ST_R8},   {"r9", ST_R9},   {"r10", ST_R10}, {"r11", ST_R11},
};

inline constexpr std::size_t arguments[] = {ST_RDI, ST_RSI, ST_RDX, ST_RCX};
inline constexpr std::size_t result = ST_RAX;
inline constexpr std::size_t second_result = ST_RDX;
inline constexpr std::size_t frame_pointer = ST_RBP;

/// How far below the caller's stack pointer a called routine finds its own.
inline constexpr std::uint64_t return_address = 8;
/// Bytes below its stack pointer that a routine may write.
inline constexpr std::uint64_t red_zone = 128;
/// Bytes that an entry's frame takes below the caller's stack pointer, return address included.
inline constexpr std::uint64_t switch_frame = 48;
inline constexpr std::uint64_t systemstack_frame = 32;
inline constexpr std::uint64_t stub_frame = 64;
inline constexpr std::uint64_t fcontext_frame = 64;
/// Where in it, from its lower end, the place stands at which it goes on.
inline constexpr std::uint64_t fcontext_pc = 56;

/// Random control words that differ from the initial ones and that the CPU can hold. Unmasked exceptions
/// harm nobody: between the load and the host's own words nothing computes.
inline void fill_control_words(state& s, std::uint64_t random) {
    s[ST_MXCSR] = (random & 0xdfc0) | 0x2000;                  // not to nearest
    s[ST_X87CW] = 0x0040 | 0x0400 | ((random >> 16) & 0x0a3f); // bit 6 is always set; precision 01 is reserved
}

inline void set_gobuf_words(weft::rt::gobuf& b, const state& s) {
    b.fpcw = static_cast<std::uint32_t>(s[ST_MXCSR]);
    b.x87cw = static_cast<std::uint16_t>(s[ST_X87CW]);
}
inline void set_words(state& s, std::uint32_t fpcw, std::uint16_t x87cw) {
    s[ST_MXCSR] = fpcw;
    s[ST_X87CW] = x87cw;
}
inline void copy_words(state& to, const state& from) {
    to[ST_MXCSR] = from[ST_MXCSR];
    to[ST_X87CW] = from[ST_X87CW];
}
/// Registers that belong to neither context of a switch.
inline void keep_platform_registers(state&, const state&) {}

} // namespace conf::cpu
