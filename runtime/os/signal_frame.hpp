// SPDX-License-Identifier: MIT
// What the kernel's frame of a signal handler says: the third argument of a handler with SA_SIGINFO.
#pragma once

#include <cstdint>

namespace weft::rt::os {

/// Where the thread was interrupted. In a handler only.
std::uintptr_t interrupted_pc(const void* frame) noexcept;

/// Puts the control words of the interrupted code in force, where the kernel has given the handler fresh ones (x86-64).
void take_control_words(const void* frame) noexcept;

/// Whether any thread of the process may return from a handler that another one has entered. Not on x86-64 when the
/// process may use AMX: the frame's size is a thread's own then. Some system call. Source: arch_prctl(2).
bool frames_may_move() noexcept;

} // namespace weft::rt::os
