// SPDX-License-Identifier: MIT
// The control words of the calling thread, for C++ that runs with them: rounding and flushing only,
// so that library code between a change and a check still computes what it should.
#pragma once

#include <cstdint>
#include <ostream>

#include "core/cpu.hpp"

namespace conf {

/// MXCSR's control bits and the x87 control word, or FPCR.
struct words {
    std::uint32_t fp = 0;
    std::uint16_t x87 = 0;
    bool operator==(const words&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const words& w) {
    return out << std::hex << "fp " << w.fp << " x87 " << w.x87 << std::dec;
}

inline constexpr words initial_words{weft::rt::cpu::initial_fpcw, weft::rt::cpu::initial_x87cw};

#if defined(__x86_64__)

inline words get_words() noexcept {
    constexpr std::uint32_t sticky_flags = 0x3f;
    words w;
    asm volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(w.fp), "=m"(w.x87));
    w.fp &= ~sticky_flags;
    return w;
}
inline void set_words(const words& w) noexcept { asm volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(w.fp), "m"(w.x87)); }

/// One of six that differ from each other and from the initial ones.
inline words chosen_words(std::uint32_t n) noexcept {
    const std::uint32_t rounding = 1 + n % 3;
    return {initial_words.fp | rounding << 13 | (n / 3 % 2) << 15,
            static_cast<std::uint16_t>(initial_words.x87 | rounding << 10)};
}

#else

inline words get_words() noexcept {
    std::uint64_t fpcr;
    asm volatile("mrs %0, fpcr" : "=r"(fpcr));
    return {static_cast<std::uint32_t>(fpcr), 0};
}
inline void set_words(const words& w) noexcept { asm volatile("msr fpcr, %0" : : "r"(std::uint64_t{w.fp})); }

inline words chosen_words(std::uint32_t n) noexcept { return {(1 + n % 3) << 22 | (n / 3 % 2) << 24, 0}; }

#endif

/// Puts the words back that the scope began with.
class words_scope {
public:
    words_scope() = default;
    ~words_scope() { set_words(before_); }
    words_scope(const words_scope&) = delete;
    words_scope& operator=(const words_scope&) = delete;

private:
    words before_ = get_words();
};

} // namespace conf
