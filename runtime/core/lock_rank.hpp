// SPDX-License-Identifier: MIT
// In which order the runtime's own locks may nest. Where the build has asserts (-Dasm_asserts=true), each thread knows
// what it holds, and a lock taken out of order ends the process, whether or not anybody deadlocks over it this time.
// Go: lockrank.go, lockrank_on.go.
#pragma once

#include <cstdint>

namespace weft::rt {

/// The locks, the outermost first. runtime::gate_, which is the host's side of the runtime, comes before them all.
/// docs/HACKING.md, "The order of locks", has the reasons.
enum class lock_rank : std::uint8_t {
    world,      // runtime_impl::world: who stops the world
    wait_group, // wait_group::lock_; held across the way into a switch, which may take the others
    timers,     // timers::lock_: the heap of a P
    timer,      // timer::lock
    sched,      // schedt::lock; from here on leaves, never two of them at once
    gpool,      // gpool::lock_
    stacks,     // stack_pool::lock_
    signals,    // preempt.cpp's table of handlers
};

/// Whether a thread that holds the one may take the other. Go: lockPartialOrder.
constexpr bool may_nest(lock_rank held, lock_rank taken) noexcept {
    // P0's heap, then another's, while the world is stopped (timers::take_all).
    if (held == lock_rank::timers && taken == lock_rank::timers) return true;
    return held < taken && held < lock_rank::sched;
}

#ifdef WEFT_LOCK_RANKS
/// Before the calling thread waits for the lock. Ends the process with "lock ordering problem". Go: lockWithRank.
void lock_taken(lock_rank rank) noexcept;
/// Ends the process if the thread does not hold such a lock. Go: unlockWithRank.
void lock_released(lock_rank rank) noexcept;
#else
inline void lock_taken(lock_rank) noexcept {}
inline void lock_released(lock_rank) noexcept {}
#endif

} // namespace weft::rt
