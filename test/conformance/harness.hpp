// SPDX-License-Identifier: MIT
// The harness that calls a routine with chosen registers, control words and stacks, and records what it
// makes of them. In the manner of dav1d's checkasm: whatever breaks is named.
//
// A run: conf_call loads run.in and calls run.target. Whoever arrives at a landing meanwhile (a function that
// the routine calls, a context that it continues) takes the next step: its state is recorded in
// step.found, step.poison is loaded and step.then entered. The run ends when the target returns, or
// in a step whose then is conf_finish.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "conf_layout.h"

namespace conf {

/// The registers of the CPU, each at its ST_ offset.
struct state {
    std::array<std::uint64_t, STATE_SIZE / 8> word{};
    std::uint64_t& operator[](std::size_t at) { return word[at / 8]; }
    std::uint64_t operator[](std::size_t at) const { return word[at / 8]; }
};

struct step {
    std::uintptr_t then = 0; ///< where it goes on; 0: it returns (arrivals by call only)
    std::uint64_t id = 0;    ///< out: which landing, LANDED_…
    state poison;            ///< loaded, but for the stack pointer (and x30), before it goes on
    state found;             ///< out
};

struct run {
    static constexpr std::size_t most_steps = 8;
    state in;
    state out;
    std::uintptr_t target = 0;
    std::uintptr_t host_sp = 0;
    step* next = nullptr;       ///< out: the first step not taken
    std::uint64_t returned = 0; ///< out: whether the target came back
    std::array<step, most_steps> steps{};

    std::size_t landed() const { return static_cast<std::size_t>(next - steps.data()); }
};

static_assert(offsetof(run, in) == RUN_IN);
static_assert(offsetof(run, out) == RUN_OUT);
static_assert(offsetof(run, target) == RUN_TARGET);
static_assert(offsetof(run, host_sp) == RUN_HOST_SP);
static_assert(offsetof(run, next) == RUN_NEXT);
static_assert(offsetof(run, returned) == RUN_RETURNED);
static_assert(offsetof(run, steps) == RUN_STEPS);
static_assert(offsetof(step, then) == STEP_THEN);
static_assert(offsetof(step, id) == STEP_ID);
static_assert(offsetof(step, poison) == STEP_POISON);
static_assert(offsetof(step, found) == STEP_FOUND);
static_assert(sizeof(step) == STEP_SIZE);
static_assert(sizeof(state) == STATE_SIZE);

/// The address of a routine, whatever its type.
template <class F>
std::uintptr_t address(F* routine) {
    return reinterpret_cast<std::uintptr_t>(routine);
}

} // namespace conf

extern "C" {
void conf_call(conf::run*);
/// Called by the routine under test.
void conf_land_call();
/// Continued by the routine under test, at a stack pointer as a suspended context has it.
void conf_land_jump();
/// As step.then: ends the run; returns with only the control words changed to step.poison's.
void conf_finish();
void conf_return_words();
}
