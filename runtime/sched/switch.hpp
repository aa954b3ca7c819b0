// SPDX-License-Identifier: MIT
// The parts of a switch that stand on the hottest paths (yield, park, exit), inline. See switch.cpp.
#pragma once

#include "sched/proc.hpp"

namespace weft::rt {

inline void save_eh(g* gp, const m* mp) noexcept {
    if (mp->eh->empty()) [[likely]]
        return;
    gp->eh = *mp->eh;
    gp->special |= special::saved_eh;
    *mp->eh = {};
}

inline void load_eh(g* gp, const m* mp) noexcept {
    if ((gp->special & special::saved_eh) == 0) [[likely]]
        return;
    *mp->eh = gp->eh;
    gp->special &= ~special::saved_eh;
}

/// Makes next the goroutine that mp runs: everything but the registers. The one before has been seen to.
inline void run_next(m* mp, p* pp, g* next) noexcept {
    next->m = mp;
    next->status.store(gstatus::running, relaxed);
    mp->curg = next;
    next->schedlink = pp->runq.guess_head();
    if (next->special == 0) [[likely]]
        return;
    if ((next->special & special::fresh) != 0) need_stack(pp, next);
    load_eh(next, mp);
}

/// The goroutine to which gp on pp may switch directly, taken from pp's queue; null: there is
/// none, or g0 must decide (the global queue's turn, a goroutine that needs its own thread, attention).
inline g* take_next(const g* gp, p* pp) noexcept {
    if (pp->attention.load(relaxed) || pp->schedtick == pp->global_tick) [[unlikely]]
        return nullptr;
    bool inherit;
    g* next = pp->runq.take(inherit);
    if (next == nullptr) return nullptr;
    if ((next->special & special::locked) != 0) [[unlikely]] {
        runqput(pp, next, true);
        return nullptr;
    }
    pp->schedtick += !inherit;
    // From one yield to the next, each step waits for a load of the one before: g, m, p, head, slot. The
    // guess made when gp was switched to is two steps away. Where it is right, and a predicted branch says
    // so, the processor goes on with it at once.
    g* guessed = gp->schedlink;
    if (next != guessed) return next;
    asm("" : "+r"(guessed)); // or the compiler would use next, which it knows to be equal
    return guessed;
}

} // namespace weft::rt
