// SPDX-License-Identifier: MIT
// Preemption at any instruction, for regions of code that ask for it. Go: preempt.go, preemptM, asyncPreempt.
#pragma once

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

/// Asks mp to preempt what it runs, at once if that is in a region, and not at all otherwise. sysmon only, with
/// options::preempt_signal. Go: preemptM.
void preemptone(m* mp) noexcept;

/// The frames of the goroutine with that number, which mp runs, innermost first; empty without
/// options::preempt_signal, if its thread does not answer in time, or runs another one by then. sysmon only.
std::vector<std::uintptr_t> stack_of_running(const m* mp, std::uint64_t goid);

/// For functions that serve threads of the host's, and so a goroutine inside preemptible(), too: refuses that. Any
/// thread. Throws std::logic_error.
void refuse_region();
/// The same for those that may not throw: until the region ends the goroutine is not preempted any more.
void forgo_preemption() noexcept;

} // namespace weft::rt
