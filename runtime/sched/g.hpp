// SPDX-License-Identifier: MIT
// g: a goroutine. Go: runtime2.go, type g.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>

#include "atomic.hpp"
#include "core/cpu.hpp"
#include "core/gobuf.hpp"
#include "core/stack.hpp"

namespace weft::rt {

struct m;

/// libstdc++'s and libc++abi's __cxa_eh_globals (Itanium C++ ABI, section 2.2.2): what is being caught and
/// thrown. A thread's words belong to the goroutine that runs on it.
struct eh_globals {
    void* caught = nullptr;
    unsigned uncaught = 0;
    bool empty() const noexcept { return caught == nullptr && uncaught == 0; }
};

/// What keeps a goroutine off the shortest way of a switch; bits of g::special.
namespace special {
inline constexpr std::uint32_t locked = 1;   ///< tied to a thread: lockedm is set
inline constexpr std::uint32_t saved_eh = 2; ///< left inside a catch block or while unwinding: eh is to be loaded
inline constexpr std::uint32_t fresh = 4;    ///< has not run yet: no stack, no context
inline constexpr std::uint32_t system = 8;   ///< a g0: never on a queue
inline constexpr std::uint32_t syscall = 16; ///< inside blocking(): its m has no P
inline constexpr std::uint32_t region = 32;  ///< inside preemptible(): it may be preempted anywhere, and calls no weft
} // namespace special

/// Who owns the goroutine's stack, and on which queue it is. Go: _Gidle …; same numbers.
enum class gstatus : std::uint32_t {
    idle = 0,     ///< just allocated; no stack
    runnable = 1, ///< on a run queue; nobody runs it; its stack, if it has one, is its own
    running = 2,  ///< on no queue; an m runs it, in the program's code: its P may be taken (entry.hpp)
    syscall = 3,  ///< as running, and announced (blocking)
    waiting = 4,  ///< on no run queue; whoever holds what it waits for may ready it
    dead = 6,     ///< on a free list, or its descriptor waits for a handle; no stack
    entered = 10, ///< as running, but inside the runtime, with a P that is its own. Not Go's
};

/// What a goroutine waits for. Go: waitReason, same texts.
enum class wait_reason : std::uint8_t { none, join, wait_group, main_exit, parked, sleep };
const char* to_string(wait_reason r) noexcept;

/// What few goroutines are. named: name counts; by itself. abandoned: it never ended by itself; by teardown.
enum class gmark : std::uint8_t { none, named, abandoned };

/// Who may still look at a goroutine's result. Kept in g::joining; any greater value is the parked joiner.
/// handle.cpp has the steps.
namespace join_state {
inline constexpr std::uintptr_t pending = 0;  ///< runs; a handle exists and nobody waits
inline constexpr std::uintptr_t finished = 1; ///< ended; the handle owns the descriptor
inline constexpr std::uintptr_t detached = 2; ///< no handle: the descriptor is recycled at its end
inline constexpr std::uintptr_t ended = 3;    ///< as pending, but its result or exception is in place
inline constexpr std::uintptr_t kept = 4; ///< finished, and its runtime has ended: the handle holds a part of the slab
inline constexpr bool is_joiner(std::uintptr_t s) noexcept { return s > kept; }
} // namespace join_state

/// Access: "owner" is the m that runs the goroutine, or, while nobody does, whoever took it from its
/// queue or wait list (the take is an acquire that pairs with the release of the put).
struct alignas(cpu::cache_line) g {
    // First line: all that a switch touches.
    gobuf sched;                                // owner
    std::uint32_t special = 0;                  // owner
    std::atomic<gstatus> status{gstatus::idle}; // owner writes, dumps read
    rt::m* m = nullptr;                         // owner; the m that runs it
    g* schedlink = nullptr;                     // whoever holds the list it is on; while it runs: switch.hpp

    // Second line: the life of a goroutine. One that never parks touches no more than this and its storage.
    rt::stack stk;                    // owner; empty until the first run
    void (*run)(g*, void*) = nullptr; // owner; what to run, later what destroys the result
    void* storage = nullptr;          // owner; function object, then result
    atomic<std::uintptr_t> joining{join_state::detached};
    std::uint64_t goid = 0;                 // constant from newproc to exit
    std::uintptr_t gopc = 0;                // constant; where it was spawned
    std::uint32_t waitsince = 0;            // owner; p::seconds when it parked
    std::uint8_t heap_align = 0;            // owner; storage is from the heap if not 0; log2
    wait_reason reason = wait_reason::none; // owner
    bool has_result : 1 = false;            // owner, then the handle; storage holds a result
    bool failed : 1 = false;                // owner, then the handle; exception holds what it ended with
    gmark mark = gmark::none;               // see there

    // Third line: what few need.
    std::exception_ptr exception;      // owner, then the handle; see failed
    eh_globals eh;                     // owner; while it does not run, see special::saved_eh
    rt::m* lockedm = nullptr;          // the goroutine itself
    void* racectx = nullptr;           // owner; ThreadSanitizer's fiber
    void* fake_stack = nullptr;        // owner; AddressSanitizer's
    const void* waiting_for = nullptr; // owner; for dumps: a g for join, else the object, or null
    const char* name = nullptr;        // the goroutine itself; where mark says named

    // Fourth line.
    alignas(cpu::cache_line) std::array<std::byte, 64> inline_storage;
};

static_assert(offsetof(g, sched) == G_SCHED);
static_assert(offsetof(g, m) == G_M);
static_assert(offsetof(g, status) == G_STATUS && static_cast<int>(gstatus::running) == GSTATUS_RUNNING);
static_assert(offsetof(g, stk) + offsetof(stack, lo) == G_STACK_LO);
static_assert(offsetof(g, stk) + offsetof(stack, hi) == G_STACK_HI);
static_assert(offsetof(g, schedlink) == G_SCHEDLINK);
static_assert(offsetof(g, schedlink) < cpu::cache_line, "a switch touches one line of a goroutine");
static_assert(offsetof(g, mark) < 2 * cpu::cache_line, "a short life touches two, and its storage");
static_assert(sizeof(g) == 4 * cpu::cache_line);

} // namespace weft::rt
