// SPDX-License-Identifier: MIT
// The callee-saved registers that step_call loads, by their DWARF numbers, and what a signal interrupted.
#pragma once

#include <array>
#include <cstdint>
#include <ucontext.h>

namespace unwind {

inline constexpr std::size_t constants = 19;
inline constexpr std::array<int, constants> constant_registers{19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
                                                               29, 72, 73, 74, 75, 76, 77, 78, 79};
inline constexpr std::array<const char*, constants> constant_names{"x19", "x20", "x21", "x22", "x23", "x24", "x25",
                                                                   "x26", "x27", "x28", "x29", "d8",  "d9",  "d10",
                                                                   "d11", "d12", "d13", "d14", "d15"};
inline constexpr std::uintptr_t red_zone = 0;

inline std::uintptr_t interrupted_pc(const ucontext_t* u) { return u->uc_mcontext.pc; }
inline std::uintptr_t interrupted_sp(const ucontext_t* u) { return u->uc_mcontext.sp; }
/// Makes the unwinder, and the return from the signal, see another context.
inline void pretend(ucontext_t* u, std::uintptr_t pc, std::uintptr_t sp, std::uintptr_t bp) {
    u->uc_mcontext.pc = pc;
    u->uc_mcontext.sp = sp;
    u->uc_mcontext.regs[29] = bp;
}

} // namespace unwind
