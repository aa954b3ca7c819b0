// SPDX-License-Identifier: MIT
// The parts of a switch that stand on the hottest paths (yield, park, exit), inline. See switch.cpp.
#pragma once

#include "sched/proc.hpp"
#include "sched/sanitizer.hpp"
#include "weft/detail/cross.hpp"

namespace weft::rt {

/// From gp, which this thread leaves, to next: the control words, as both contexts ask. What weft_switchto
/// does for those crossings that it makes.
inline void switch_control_words(gobuf& from, const gobuf& to) noexcept {
    if ((from.flags & to.flags & GOBUF_SHARE_FPCW) != 0) return;
    cpu::read_control_words(from.fpcw, from.x87cw);
    if ((to.flags & GOBUF_SHARE_FPCW) != 0) return;
    if (!cpu::same_control_words(from.fpcw, from.x87cw, to.fpcw, to.x87cw)) [[unlikely]]
        cpu::write_control_words(to.fpcw, to.x87cw);
}

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

/// Makes next, which is not special, the goroutine that mp runs: everything but the registers and the status, which
/// the crossing sets. The one before has been seen to.
inline void run_plain(m* mp, const p* pp, g* next) noexcept {
    next->m = mp;
    mp->curg = next;
    next->schedlink = pp->runq.guess_head();
}

/// The same for any next.
inline void run_next(m* mp, p* pp, g* next) noexcept {
    run_plain(mp, pp, next);
    if (next->special == 0) [[likely]]
        return;
    if ((next->special & special::fresh) != 0) need_stack(pp, next);
    load_eh(next, mp);
}

/// Fetches what the switches to come will touch. Many goroutines are more than the caches hold, and each has
/// its stack on a page of its own; what is asked for a few switches ahead has come when it is needed.
inline void fetch_ahead(const g* far, const g* near) noexcept {
    __builtin_prefetch(far, 1);
    const auto* top = reinterpret_cast<const char*>(near->sched.sp); // old, if a thief has it: nothing is read there
    __builtin_prefetch(top - 8, 1);
    __builtin_prefetch(top + cpu::cache_line - 8, 1);
}

/// The last steps before an inline crossing: what weft_switchto does itself.
inline void take_over(const detail::crossing& c) noexcept {
    static_assert(GOBUF_SP == 0 && GOBUF_PC == 8 && GOBUF_BP == 16 && G_SCHED == 0 && G_STATUS == 44 &&
                      GSTATUS_RUNNING == 2 && static_cast<int>(gstatus::waiting) == 4 && G_SCHEDLINK == 56,
                  "weft/detail/cross.hpp has these offsets in its text");
    switch_control_words(c.from->sched, c.to->sched);
    setg(c.to);
}

/// The last steps before a crossing, which is the caller's, of a goroutine that whoever readies it may find already:
/// its status says that it is not off its stack yet (park.cpp, "Parking by an inline crossing").
inline detail::crossing leave_waiting(g* gp, p* pp, g* next, const void* what, wait_reason reason) noexcept {
    m* mp = gp->m;
    gp->reason = reason;
    gp->waitsince = pp->seconds.load(relaxed);
    gp->waiting_for = what;
    save_eh(gp, mp);
    run_next(mp, pp, next);
    const detail::crossing c{gp, next};
    take_over(c);
    return c;
}

/// gp runs next on pp; who stood there goes to the tail. Owner of pp.
inline void put_next(p* pp, g* gp) noexcept {
    g* kicked = pp->runq.put_next(gp);
    if (kicked != nullptr && !pp->runq.put_tail(kicked)) runqput(pp, kicked, false);
}

/// R2 of park.cpp for a goroutine that is on its way out.
void await_off_stack(const g* gp) noexcept;

/// Go: ready. For one that owns pp; R2 and R3 of park.cpp.
[[gnu::always_inline]] inline void ready_here(p* pp, g* gp) {
    if (gp->status.load(acquire) != gstatus::waiting) [[unlikely]]
        await_off_stack(gp);
    if (pp->watched) [[unlikely]]
        sanitizer::race_release(gp);
    gp->status.store(gstatus::runnable, relaxed);
    if (force_migration) {
        globrunqput(*pp->rt, gp);
        wakep(*pp->rt);
        return;
    }
    put_next(pp, gp);
    if (pp->wakes) wake_after_put(pp);
}

/// The goroutine to which gp on pp may switch directly, taken from pp's queue; null: there is
/// none, or g0 must decide (the global queue's turn, a goroutine that needs its own thread, attention).
inline g* take_next(const g* gp, p* pp) noexcept {
    if (pp->attention.load(relaxed)) [[unlikely]]
        return nullptr;
    if (pp->schedtick == pp->global_tick && global_queue_turn(pp)) [[unlikely]]
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
