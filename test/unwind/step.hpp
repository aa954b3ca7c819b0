// SPDX-License-Identifier: MIT
// Unwinding at every instruction of every trampoline. A scenario calls trampolines through stepped(),
// which says what chains of frames an unwinder may find inside: that of the context that is left, that
// of the one that arrives, or none at all where the frame is the outermost. At each instruction the
// chain must be one of them, frame by frame and with the registers of the frame that called.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>

#include "core/gobuf.hpp"
#include "step_cpu.hpp"

namespace unwind {

struct frame {
    std::uintptr_t ip = 0;
    std::uintptr_t cfa = 0; ///< its stack pointer once what it called has returned
};

/// What an unwinder found, innermost first.
struct chain {
    static constexpr std::size_t most = 40;
    std::array<frame, most> frames{};
    std::size_t size = 0;
    bool ends = false; ///< at a frame whose caller is undefined
    /// The callee-saved registers of the first frame in step_call.
    std::array<std::uint64_t, constants> registers{};
};

/// A place from which step_call calls: what its frame must look like from inside.
struct record {
    /// name: the functions from step_call to the end, blank between them; after "..." anything may follow.
    /// id: makes its constants differ.
    record(const char* name, std::uint64_t id);
    std::array<std::uint64_t, constants> values; ///< first, for the asm
    const char* name;
    chain above; ///< from step_call on, as captured in the present call
};
static_assert(std::is_standard_layout_v<record>);

/// One chain that may be found.
struct expectation {
    /// The frames of a record; null: the trampoline's frame is the outermost.
    const record* from = nullptr;
    /// A context that arrives: until its pc is reached, that is a frame of its own.
    std::uintptr_t pc = 0;
    std::uintptr_t sp = 0;
    /// With from null: one frame in the function that starts here is the outermost, instead of none.
    std::uintptr_t base = 0;
};

template <class F>
std::uintptr_t address(F* function) {
    return reinterpret_cast<std::uintptr_t>(function);
}

inline expectation leaving(const record& r) { return {&r, 0, 0, 0}; }
inline expectation outermost() { return {}; }
inline expectation called_by(std::uintptr_t base) { return {nullptr, 0, 0, base}; }
inline expectation arriving(const weft::rt::gobuf& b, const record& r) { return {&r, b.pc, b.sp, 0}; }
/// A fresh context, whose first frame is the outermost, or has only that of base above it.
inline expectation arriving(const weft::rt::gobuf& b) { return {nullptr, b.pc, b.sp, 0}; }
inline expectation arriving(const weft::rt::gobuf& b, std::uintptr_t base) { return {nullptr, b.pc, b.sp, base}; }

/// What is allowed now. They come in order: once a later one was found, no earlier one may be.
struct expectations {
    std::array<expectation, 3> any{};
    std::size_t size = 0;
    std::size_t found = 0; ///< the last one that was
};
extern expectations expected;

/// A word that must not be published while sp is in a stack.
struct publication {
    const volatile std::uint32_t* word = nullptr;
    std::uint32_t before = 0;
    std::uintptr_t lo = 0;
    std::uintptr_t hi = 0;
};
extern publication watched;

} // namespace unwind

namespace unwind {
/// The two registers in which results are returned.
struct words {
    std::uint64_t first;
    std::uint64_t second;
};
} // namespace unwind

extern "C" {
/// Loads r's constants, calls step_capture(r), then fn(a, b, c, d), from one frame. Returns what fn has left in the
/// registers of results.
unwind::words step_call(unwind::record* r, std::uintptr_t fn, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                        std::uint64_t d);
void step_capture(unwind::record* r);
}

namespace unwind {

inline std::uint64_t argument(const void* p) { return reinterpret_cast<std::uint64_t>(p); }
template <class F>
    requires std::is_function_v<F> std::uint64_t argument(F* f) { return reinterpret_cast<std::uint64_t>(f); }
inline std::uint64_t argument(std::uint32_t n) { return n; }
inline std::uint64_t argument(std::size_t n) { return n; }

/// Calls a trampoline from r's place. Inlined, so that the scenario's function is what calls.
template <class F, class... Args>
[[gnu::always_inline]] inline words stepped(record& r, std::initializer_list<expectation> allowed, F* fn,
                                            Args... args) {
    const expectations before = expected;
    expected = {};
    for (const expectation& e : allowed) expected.any[expected.size++] = e;
    std::uint64_t given[4] = {};
    std::size_t n = 0;
    ((given[n++] = argument(args)), ...);
    static_cast<void>(n);
    const words got = step_call(&r, reinterpret_cast<std::uintptr_t>(fn), given[0], given[1], given[2], given[3]);
    expected = before;
    return got;
}

/// What is expected while a trampoline runs that nobody called: goexit, after its goroutine.
inline void expect_outermost() { expected = {{outermost()}, 1, 0}; }

/// Checks the chain of the calling function's caller, a trampoline, against what is expected now.
void check_caller();

/// Unwinds a context that does not run, as a debugger would: pc, sp and bp of its gobuf are all it has.
/// with_registers: whether its frames hold all callee-saved registers of the caller.
void check_gobuf(const weft::rt::gobuf& b, const expectation& e, bool with_registers);

/// Memory that is a stack; sp must lie in one at every instruction.
void add_stack(std::uintptr_t lo, std::uintptr_t hi);

/// A function whose instructions are to be visited, besides the trampolines.
void add_function(const char* name);

/// From here to stop_stepping() the check stands at every instruction of the calling thread.
void start_stepping();
void stop_stepping();

/// Says so on stderr; the run will fail.
void complain(std::uintptr_t pc, const char* what);

/// Prints the instructions that were visited and ends the process: status 0, or 1 after complaints.
[[noreturn]] void finish();

} // namespace unwind
