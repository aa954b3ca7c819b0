// SPDX-License-Identifier: MIT
// Preemption at any instruction, for regions of code that ask for it. Go: preempt.go, preemptM, asyncPreempt.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sched/runtime_impl.hpp"

namespace weft::rt {

/// While it lives, options::preempt_signal, if one is asked for, has its handler. Several runtimes may have the same.
class preempt_signal {
public:
    explicit preempt_signal(const runtime_impl& rt);
    ~preempt_signal();
    preempt_signal(const preempt_signal&) = delete;
    preempt_signal& operator=(const preempt_signal&) = delete;

private:
    const int number_;
};

/// What sysmon asks an m for: the frames of the goroutine that it runs. preempt.cpp has the steps.
struct stack_request {
    static constexpr std::size_t most = 64;
    std::array<std::uintptr_t, most> pcs{};
    std::size_t count = 0;
    atomic<bool> done{false};
};

/// Asks mp to preempt what it runs, at once if that is in a region, and not at all otherwise. sysmon only, with
/// options::preempt_signal. Go: preemptM.
void preemptone(m* mp) noexcept;

/// The frames of the goroutine that mp runs, innermost first; empty without options::preempt_signal, or if its thread
/// does not answer in time. sysmon only.
std::vector<std::uintptr_t> stack_of_running(m* mp);

} // namespace weft::rt
