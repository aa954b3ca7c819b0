// SPDX-License-Identifier: MIT
// The callee-saved registers that step_call loads, by their DWARF numbers, and what a signal interrupted.
#pragma once

#include <array>
#include <cstdint>
#include <ucontext.h>

namespace unwind {

inline constexpr std::size_t constants = 6;
inline constexpr std::array<int, constants> constant_registers{3, 6, 12, 13, 14, 15};
inline constexpr std::array<const char*, constants> constant_names{"rbx", "rbp", "r12", "r13", "r14", "r15"};
inline constexpr std::uintptr_t red_zone = 128;

inline std::uintptr_t interrupted_pc(const ucontext_t* u) {
    return static_cast<std::uintptr_t>(u->uc_mcontext.gregs[REG_RIP]);
}
inline std::uintptr_t interrupted_sp(const ucontext_t* u) {
    return static_cast<std::uintptr_t>(u->uc_mcontext.gregs[REG_RSP]);
}
/// Makes the unwinder, and the return from the signal, see another context.
inline void pretend(ucontext_t* u, std::uintptr_t pc, std::uintptr_t sp, std::uintptr_t bp) {
    u->uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(pc);
    u->uc_mcontext.gregs[REG_RSP] = static_cast<greg_t>(sp);
    u->uc_mcontext.gregs[REG_RBP] = static_cast<greg_t>(bp);
}

} // namespace unwind
