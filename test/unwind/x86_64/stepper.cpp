// SPDX-License-Identifier: MIT
// x86-64: the trap flag stops before every instruction of the thread; most of them are none of ours.
#include <csignal>
#include <cstdlib>

#include "step.hpp"
#include "stepper.hpp"

extern "C" {
void step_trap_on();
void step_trap_off();
}

namespace {

bool stepping = false;

void trapped(int, siginfo_t*, void* context) {
    const auto* u = static_cast<const ucontext_t*>(context);
    if (unwind::is_visited(unwind::interrupted_pc(u))) unwind::at_instruction(u);
}

} // namespace

void unwind::start_stepping() {
    static char handler_stack[256 * 1024];
    stack_t alternate{};
    alternate.ss_sp = handler_stack;
    alternate.ss_size = sizeof handler_stack;
    sigaltstack(&alternate, nullptr);
    catch_faults();
    struct sigaction action {};
    action.sa_sigaction = trapped;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    if (sigaction(SIGTRAP, &action, nullptr) != 0) std::abort();
    stepping = true;
    step_trap_on();
}

void unwind::stop_stepping() {
    step_trap_off();
    stepping = false;
}

unwind::pause_stepping::pause_stepping() { step_trap_off(); }

unwind::pause_stepping::~pause_stepping() {
    if (stepping) step_trap_on();
}
