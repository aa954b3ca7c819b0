// SPDX-License-Identifier: MIT
// One m with its g0 and two goroutines on stacks full of canaries. No runtime: the harness is what the
// trampolines call, so that everything that they do can be seen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/trampolines.hpp"
#include "harness.hpp"
#include "random.hpp"
#include "report.hpp"
#include "sched/g.hpp"
#include "sched/m.hpp"

namespace conf {

/// A stack every word of which is known.
class canary_stack {
public:
    static constexpr std::size_t size = 16 * 1024;

    /// memory: size bytes, at a multiple of 16.
    canary_stack(const char* name, std::uint64_t* memory) : name_(name), words_(memory) {}

    void fill(random_source& random);

    /// A stack pointer with canaries above it and below it.
    std::uint64_t sp() const { return bottom() + size - size / 4; }

    /// Adds "stack of NAME: 8 above sp" for what was written outside [sp - frame, sp), where sp is sp().
    void check(names& broken, std::uint64_t frame) const;

private:
    std::uint64_t bottom() const { return reinterpret_cast<std::uint64_t>(words_); }

    const char* name_;
    std::uint64_t* words_;
    std::vector<std::uint64_t> filled_;
};

/// Which of the stacks lies above which: unwinders, debuggers and careless code depend on it.
enum class order { parent_above, parent_below };

struct world {
    explicit world(order o = order::parent_above);
    ~world();
    world(const world&) = delete;
    world& operator=(const world&) = delete;

    random_source random;
    std::vector<std::uint64_t> memory;
    canary_stack g0_stack;
    canary_stack a_stack;
    canary_stack b_stack;
    weft::rt::m m;
    weft::rt::g g0;
    weft::rt::g a;
    weft::rt::g b;
    conf::run run;

    /// The context run.in: the thread's g is gp, on the given stack; all else is random.
    void call_as(weft::rt::g& gp, const canary_stack& on);

    /// The step loads random registers and control words (which nobody may find again who did not have them)
    /// and goes on at then(args…).
    void on_arrival(std::size_t i, std::uintptr_t then, std::uint64_t arg0 = 0, std::uint64_t arg1 = 0,
                    std::uint64_t arg2 = 0, std::uint64_t arg3 = 0);

    /// Makes gp a context that continues at a landing, on its stack's sp(), with random control words and bp.
    /// Returns what the landing must find.
    state suspend(weft::rt::g& gp, const canary_stack& on);

    /// Runs target(args…).
    void call(std::uintptr_t target, std::uint64_t arg0 = 0, std::uint64_t arg1 = 0, std::uint64_t arg2 = 0,
              std::uint64_t arg3 = 0);

    /// After a call that returned: callee-saved registers, control words, sp, flags.
    names broken_by_call() const;

    /// After an arrival by call, on the stack that had sp: the stack pointer, its alignment, the flags.
    names broken_at_call(std::size_t i, std::uint64_t sp) const;

    /// After an arrival in a context made by suspend().
    names broken_at_switch(std::size_t i, const state& expected) const;
};

} // namespace conf
