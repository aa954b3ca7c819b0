// SPDX-License-Identifier: MIT
// The scenarios' m, goroutines and stacks. No runtime: the handlers that the trampolines call are the scenario's.
#pragma once

#include <cstdint>

#include "core/trampolines.hpp"
#include "sched/m.hpp"
#include "step.hpp"

namespace unwind {

/// What a goroutine does; returns when it is to end.
using body = void (*)();

struct step_world {
    weft::rt::m m;
    weft::rt::g g0;
    weft::rt::g a;
    weft::rt::g b;
    body a_body = nullptr;
    body b_body = nullptr;
    body on_rt0 = nullptr;    ///< weft_rt0_go
    body on_mstart = nullptr; ///< weft_mstart1
    body on_goexit1 = nullptr;
    std::uintptr_t context_stack = 0; ///< its lower end
    std::uintptr_t context_stack_size = 0;
};
extern step_world world;

/// Whether the caller runs on gp's stack. (weft_getg is a trampoline that is under test.)
bool runs_on(const weft::rt::g& gp);

/// Makes gp a fresh goroutine, as need_stack does.
void freshen(weft::rt::g& gp);

/// Sets control words other than the initial ones, so that the switches have to load some.
void other_words();

/// Runs the body on a thread whose stack, m's g0's, lies above the goroutines' or below them.
[[noreturn]] void run_scenario(body host, bool g0_above);

} // namespace unwind
