// SPDX-License-Identifier: MIT
// AArch64 has no trap flag for programs: every instruction of the visited code is replaced by a
// breakpoint. The one that was hit is put back, to be executed, until the next one is hit.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sys/mman.h>
#include <unistd.h>

#include "step.hpp"
#include "stepper.hpp"

namespace {

constexpr std::uint32_t breakpoint = 0xd4200000; // BRK #0

std::map<std::uintptr_t, std::uint32_t> originals; // all that is replaced while stepping
std::uintptr_t put_back = 0;                       // the one that is not, or 0

void write(std::uintptr_t pc, std::uint32_t instruction) {
    *reinterpret_cast<volatile std::uint32_t*>(pc) = instruction;
    __builtin___clear_cache(reinterpret_cast<char*>(pc), reinterpret_cast<char*>(pc + 4));
}

void trapped(int, siginfo_t*, void* context) {
    const auto* u = static_cast<const ucontext_t*>(context);
    const std::uintptr_t pc = unwind::interrupted_pc(u);
    const auto original = originals.find(pc);
    if (original == originals.end() || original->second == breakpoint) std::abort(); // a BRK of the program's own
    if (put_back != 0) write(put_back, breakpoint);
    write(pc, original->second);
    put_back = pc;
    unwind::at_instruction(u);
}

void make_writable(const unwind::code_range& code) {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const std::uintptr_t begin = code.start / page * page;
    const std::uintptr_t end = (code.end + page - 1) / page * page;
    if (mprotect(reinterpret_cast<void*>(begin), end - begin, PROT_READ | PROT_WRITE | PROT_EXEC) == 0) return;
    std::fputs("SKIP: this system forbids writing to code (W^X), and AArch64 has no trap flag\n", stderr);
    _exit(77);
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
    for (const code_range& code : visited_code()) {
        make_writable(code);
        for (std::uintptr_t pc = code.start; pc < code.end; pc += 4)
            originals[pc] = *reinterpret_cast<const std::uint32_t*>(pc);
    }
    for (const auto& [pc, instruction] : originals) write(pc, breakpoint);
}

void unwind::stop_stepping() {
    for (const auto& [pc, instruction] : originals) write(pc, instruction);
    originals.clear();
    put_back = 0;
}

// Nothing but the visited code is stopped in.
unwind::pause_stepping::pause_stepping() = default;
unwind::pause_stepping::~pause_stepping() = default;
