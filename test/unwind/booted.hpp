// SPDX-License-Identifier: MIT
// Waiting until sysmon's thread has come past its start.
#pragma once

#include <algorithm>
#include <vector>

#include <weft/weft.hpp>

#include "sched/runtime_impl.hpp"

namespace unwind {

/// Goroutines only.
inline void wait_for_sysmon(weft::rt::runtime_impl& rt) {
    const auto has_begun = [&rt] {
        const std::vector<weft::boot_step> steps = rt.boot.steps();
        return std::any_of(steps.begin(), steps.end(), [](const weft::boot_step& s) { return s.name == "sysmon"; });
    };
    while (!has_begun()) weft::yield();
}

} // namespace unwind
