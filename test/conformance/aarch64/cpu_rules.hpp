// SPDX-License-Identifier: MIT
// What a call preserves on AArch64, with the names that reports use. Source: AAPCS64 6.1.
#pragma once

#include <array>

#include "core/gobuf.hpp"
#include "harness.hpp"

namespace conf::cpu {

struct rule {
    const char* name;
    std::size_t at;
    std::uint64_t mask = ~std::uint64_t{0}; // which bits of the word
};

/// x18 is the platform's; x30 has brought the routine back if we get to look at it.
inline constexpr rule callee_saved[] = {
    {"x18", ST_X18}, {"x19", ST_X19}, {"x20", ST_X20}, {"x21", ST_X21}, {"x22", ST_X22},
    {"x23", ST_X23}, {"x24", ST_X24}, {"x25", ST_X25}, {"x26", ST_X26}, {"x27", ST_X27},
    {"x28", ST_X28}, {"x29", ST_X29}, {"d8", ST_D8},   {"d9", ST_D9},   {"d10", ST_D10},
    {"d11", ST_D11}, {"d12", ST_D12}, {"d13", ST_D13}, {"d14", ST_D14}, {"d15", ST_D15},
};

inline constexpr rule control_words[] = {
    {"fpcr rounding", ST_FPCR, 3u << 22},
    {"fpcr flush-to-zero", ST_FPCR, 1u << 24},
    {"fpcr default-nan", ST_FPCR, 1u << 25},
    {"fpcr half-precision", ST_FPCR, 1u << 26},
};

inline constexpr std::array<rule, 0> clear{};

inline constexpr rule caller_saved[] = {
    {"x0", ST_X0},   {"x1", ST_X1},   {"x2", ST_X2},   {"x3", ST_X3},   {"x4", ST_X4},   {"x5", ST_X5},
    {"x6", ST_X6},   {"x7", ST_X7},   {"x8", ST_X8},   {"x9", ST_X9},   {"x10", ST_X10}, {"x11", ST_X11},
    {"x12", ST_X12}, {"x13", ST_X13}, {"x14", ST_X14}, {"x15", ST_X15},
};

inline constexpr std::size_t arguments[] = {ST_X0, ST_X1, ST_X2, ST_X3};
inline constexpr std::size_t result = ST_X0;
inline constexpr std::size_t second_result = ST_X1;
inline constexpr std::size_t frame_pointer = ST_X29;

/// As in x86_64/cpu_rules.hpp.
inline constexpr std::uint64_t return_address = 0;
inline constexpr std::uint64_t red_zone = 0;
inline constexpr std::uint64_t switch_frame = 160;
inline constexpr std::uint64_t systemstack_frame = 32;
inline constexpr std::uint64_t stub_frame = 160;
inline constexpr std::uint64_t fcontext_frame = 176;
inline constexpr std::uint64_t fcontext_pc = 16;

/// Bits 22 to 26: rounding, FZ, DN, AHP. A CPU may ignore writes to the others.
inline void fill_control_words(state& s, std::uint64_t random) {
    s[ST_FPCR] = (random & 0x07c00000) | 0x00400000; // not to nearest
}

inline void set_gobuf_words(weft::rt::gobuf& b, const state& s) { b.fpcw = static_cast<std::uint32_t>(s[ST_FPCR]); }
inline void set_words(state& s, std::uint32_t fpcw, std::uint16_t) { s[ST_FPCR] = fpcw; }
inline void copy_words(state& to, const state& from) { to[ST_FPCR] = from[ST_FPCR]; }
inline void keep_platform_registers(state& to, const state& from) { to[ST_X18] = from[ST_X18]; }

} // namespace conf::cpu
