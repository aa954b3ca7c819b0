// SPDX-License-Identifier: MIT
// Between step.cpp and <cpu>/stepper.cpp, which makes the CPU stop at every instruction of the visited code.
#pragma once

#include <cstdint>
#include <ucontext.h>
#include <vector>

namespace unwind {

struct code_range {
    std::uintptr_t start;
    std::uintptr_t end;
};

std::vector<code_range> visited_code();
bool is_visited(std::uintptr_t pc);

/// The check's own C++ is not to be stepped through where that costs time.
class pause_stepping {
public:
    pause_stepping();
    ~pause_stepping();
    pause_stepping(const pause_stepping&) = delete;
    pause_stepping& operator=(const pause_stepping&) = delete;
};

/// A fault in a check, whose row leads nowhere, ends the process with a complaint.
void catch_faults();

/// The check, called in a signal handler on a stack of its own, the pc in the visited code.
void at_instruction(const ucontext_t* context);

} // namespace unwind
