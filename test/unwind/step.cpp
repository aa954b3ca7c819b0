// SPDX-License-Identifier: MIT
// The check at each instruction, and what was visited. How the CPU is made to stop there: <cpu>/stepper.cpp.
#include "step.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <unistd.h>
#include <unwind.h>
#include <vector>

#include "stepper.hpp"
#include "symbols.hpp"

namespace unwind {

expectations expected;
publication watched;

namespace {

struct stack_range {
    std::uintptr_t lo;
    std::uintptr_t hi;
};

std::vector<stack_range> stacks;
std::vector<symbol> functions;          // whose instructions are visited
std::vector<std::vector<bool>> visited; // by function, by offset
bool complained = false;
volatile std::uintptr_t checked_pc = 0;

std::size_t function_at(std::uintptr_t pc) {
    for (std::size_t i = 0; i < functions.size(); i++)
        if (pc >= functions[i].start && pc < functions[i].end) return i;
    return functions.size();
}

bool in_step_call(std::uintptr_t ip) {
    static const symbol& self = *symbol_table::own().named("step_call");
    return ip > self.start && ip < self.end;
}

struct unwinding {
    chain* to;
    bool registers_taken;
};

_Unwind_Reason_Code take_frame(_Unwind_Context* context, void* state_) {
    auto* state = static_cast<unwinding*>(state_);
    chain& c = *state->to;
    const std::uintptr_t ip = _Unwind_GetIP(context);
    if (ip == 0) {
        c.ends = true;
        return _URC_END_OF_STACK;
    }
    if (c.size == chain::most) return _URC_END_OF_STACK;
    if (!state->registers_taken && in_step_call(ip)) {
        state->registers_taken = true;
        for (std::size_t i = 0; i < constants; i++) c.registers[i] = _Unwind_GetGR(context, constant_registers[i]);
    }
    c.frames[c.size++] = {ip, _Unwind_GetCFA(context)};
    return _URC_NO_REASON;
}

chain unwind_from_here() {
    chain c;
    unwinding state{&c, false};
    _Unwind_Backtrace(take_frame, &state);
    return c;
}

std::string names(const chain& c, std::size_t from) {
    std::string text;
    for (std::size_t i = from; i < c.size; i++) {
        if (i != from) text += ' ';
        text += symbol_table::own().name_at(c.frames[i].ip - 1);
    }
    return text + (c.ends ? "" : " (no end)");
}

/// Whether nothing but base's frame, or nothing at all, follows from i on.
bool is_base(const chain& c, std::size_t i, std::uintptr_t base) {
    if (!c.ends) return false;
    if (base == 0) return i == c.size;
    const symbol* s = i + 1 == c.size ? symbol_table::own().at(c.frames[i].ip - 1) : nullptr;
    return s != nullptr && s->start == base;
}

/// Why the frames from i on are not those of an expectation, or nothing.
std::string mismatch(const chain& c, std::size_t i, const expectation& e, bool with_registers = true) {
    if (e.pc != 0 && i < c.size && c.frames[i].ip == e.pc) {
        if (c.frames[i].cfa != e.sp) return "wrong sp of the arriving context";
        i++;
    }
    if (e.from == nullptr) return is_base(c, i, e.base) ? "" : "frames beyond the outermost";
    const chain& want = e.from->above;
    if (c.size - i != want.size || c.ends != want.ends) return "another number of frames";
    for (std::size_t n = 0; n < want.size; n++) {
        const frame& got = c.frames[i + n];
        // The two calls in step_call differ in their return address, and in nothing else.
        const bool same_ip = n == 0 ? in_step_call(got.ip) : got.ip == want.frames[n].ip;
        if (!same_ip || got.cfa != want.frames[n].cfa) return "frame " + std::to_string(n) + " differs";
    }
    for (std::size_t n = 0; with_registers && n < constants; n++)
        if (c.registers[n] != e.from->values[n]) return std::string("wrong ") + constant_names[n] + " of the caller";
    return {};
}

/// The frames from i on, in the function with pc.
void check_expected(const chain& c, std::size_t i, std::uintptr_t pc) {
    std::string why;
    for (std::size_t e = expected.found; e < expected.size; e++) {
        const std::string reason = mismatch(c, i, expected.any[e]);
        if (reason.empty()) {
            expected.found = e;
            return;
        }
        why += reason + "; ";
    }
    complain(pc, (why + "found: " + names(c, i)).c_str());
}

void check_chain(const chain& c, std::uintptr_t pc) {
    std::size_t i = 0;
    while (i < c.size && c.frames[i].ip != pc) i++;
    if (i == c.size) {
        complain(pc, "the unwinder does not get out of the signal handler");
        return;
    }
    check_expected(c, i + 1, pc);
}

/// Nobody may rely on what is below the red zone.
void overwrite_below(std::uintptr_t sp, const stack_range& within) {
    constexpr std::uintptr_t most = 1024;
    const std::uintptr_t end = sp - red_zone;
    const std::uintptr_t begin = end - within.lo > most ? end - most : within.lo;
    if (end > within.lo) std::memset(reinterpret_cast<void*>(begin), 0xdb, end - begin);
}

void check_stack(std::uintptr_t pc, std::uintptr_t sp) {
    for (const stack_range& s : stacks) {
        if (sp <= s.lo || sp > s.hi) continue;
        overwrite_below(sp, s);
        return;
    }
    complain(pc, "sp is in no stack");
}

void check_publication(std::uintptr_t pc, std::uintptr_t sp) {
    if (watched.word == nullptr || sp <= watched.lo || sp > watched.hi) return;
    if (*watched.word != watched.before) complain(pc, "published before the stack was left");
}

const weft::rt::gobuf* pretended;
chain of_pretended;

/// Unwinds as if the signal had interrupted the pretended context, and goes back to the real one.
void unwind_pretended(int, siginfo_t*, void* context) {
    auto* u = static_cast<ucontext_t*>(context);
    const ucontext_t real = *u;
    pretend(u, pretended->pc, pretended->sp, pretended->bp);
    of_pretended = unwind_from_here();
    *u = real;
}

/// A wrong row may lead an unwinder anywhere.
void faulted(int) {
    complain(checked_pc, "the unwinder faults here, or the program after it");
    _exit(1);
}

/// Whether the functions are those that the record's name says.
bool named(const record& r, const std::string& found) {
    const std::string want = r.name;
    const std::size_t open = want.find(" ...");
    return open == std::string::npos ? found == want : found.compare(0, open, want, 0, open) == 0;
}

} // namespace

record::record(const char* name_, std::uint64_t id) : name(name_) {
    for (std::size_t i = 0; i < constants; i++)
        values[i] = 0x5eed'0000'0000'0000 | id << 16 | static_cast<std::uint64_t>(constant_registers[i]);
}

void add_stack(std::uintptr_t lo, std::uintptr_t hi) { stacks.push_back({lo, hi}); }

void add_function(const char* name) {
    const symbol* s = symbol_table::own().named(name);
    if (s == nullptr) {
        std::fprintf(stderr, "%s: no such function\n", name);
        std::exit(1);
    }
    functions.push_back(*s);
    visited.emplace_back(s->end - s->start);
}

void complain(std::uintptr_t pc, const char* what) {
    complained = true;
    const symbol* s = symbol_table::own().at(pc);
    std::fprintf(stderr, "%s+0x%zx: %s\n", s != nullptr ? s->name.c_str() : "?",
                 static_cast<std::size_t>(s != nullptr ? pc - s->start : pc), what);
}

void catch_faults() {
    struct sigaction action {};
    action.sa_handler = faulted;
    action.sa_flags = SA_ONSTACK | SA_NODEFER;
    for (int signal : {SIGSEGV, SIGBUS, SIGILL}) sigaction(signal, &action, nullptr);
}

bool is_visited(std::uintptr_t pc) { return function_at(pc) < functions.size(); }

std::vector<code_range> visited_code() {
    std::vector<code_range> code;
    for (const symbol& s : functions) code.push_back({s.start, s.end});
    return code;
}

void at_instruction(const ucontext_t* context) {
    const std::uintptr_t pc = interrupted_pc(context);
    checked_pc = pc;
    const std::uintptr_t sp = interrupted_sp(context);
    const std::size_t f = function_at(pc);
    visited[f][pc - functions[f].start] = true;
    check_stack(pc, sp);
    check_publication(pc, sp);
    check_chain(unwind_from_here(), pc);
}

void check_caller() {
    const pause_stepping pause;
    const chain c = unwind_from_here();
    std::size_t i = 0;
    while (i < c.size && !is_visited(c.frames[i].ip)) i++;
    check_expected(c, i + 1, i < c.size ? c.frames[i].ip : 0);
}

void check_gobuf(const weft::rt::gobuf& b, const expectation& e, bool with_registers) {
    const pause_stepping pause;
    struct sigaction action {};
    action.sa_sigaction = unwind_pretended;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &action, nullptr);
    pretended = &b;
    raise(SIGUSR1);
    const chain& c = of_pretended;
    std::size_t i = 0;
    while (i < c.size && c.frames[i].ip != b.pc) i++;
    const std::string why = mismatch(c, i + 1, e, with_registers);
    if (!why.empty()) complain(b.pc, (why + "; the context at rest has: " + names(c, i + 1)).c_str());
}

void finish() {
    stop_stepping();
    for (std::size_t f = 0; f < functions.size(); f++)
        for (std::size_t offset = 0; offset < visited[f].size(); offset++)
            if (visited[f][offset]) std::printf("%s+0x%zx\n", functions[f].name.c_str(), offset);
    std::fflush(stdout);
    _exit(complained ? 1 : 0);
}

} // namespace unwind

using namespace unwind;

/// What step_call's callers look like, taken in the place of the trampoline.
extern "C" void step_capture(record* r) {
    const pause_stepping pause;
    const chain c = unwind_from_here();
    std::size_t i = 0;
    while (i < c.size && !in_step_call(c.frames[i].ip)) i++;
    chain& above = r->above;
    above = {};
    above.ends = c.ends;
    for (; i < c.size; i++) above.frames[above.size++] = c.frames[i];
    if (above.size == 0)
        return complain(reinterpret_cast<std::uintptr_t>(step_capture), "cannot unwind from step_call");
    if (const std::string got = names(above, 0); !named(*r, got))
        complain(above.frames[0].ip, ("expected " + std::string(r->name) + ", found " + got).c_str());
}
