// SPDX-License-Identifier: MIT
// Blocking and waking goroutines. Go: gopark, park_m, goready, ready, goyield.
//
// Park and ready, step by step (P: the goroutine that parks; R: whoever readies it):
//   P1. P makes itself known to R only in unlockf, or under a lock that unlockf releases.
//   P2. gopark leaves P's stack: mcall to g0, or the direct switch to the next goroutine.
//   P3. on the stack that was reached, P.status = waiting, then unlockf(P): its release (unlock, CAS)
//       publishes P's saved registers and status.
//   P4. unlockf says false: P does not wait after all and becomes runnable here.
//   R1. R finds P by an acquire that pairs with P3's release, and calls ready(P), once.
//   R2. status must be waiting (acquire). entered: P is on its way out, see below. Anything else is "bad g->status in
//       ready".
//   R3. P goes to R's own runnext, then the submitter's half of wake.cpp.
//
// Parking by an inline crossing (parker, join): P makes itself known to R before it leaves (P1 before P2), because
// nothing can be called on the stack that is reached. Its status is entered until the crossing, which stores waiting
// when the stack is left (release); so R waits for that in R2. It is some ten instructions away, unless P's thread has
// lost its CPU.
//
// Yielding: A leaves for B, which it takes from the queue, and stands on no queue until the arriving side has
// published it (weft::detail::cross, weft_switchto). A searcher that takes its last look meanwhile (S3 of wake.cpp) may
// see neither of them and go to sleep, and nothing is submitted afterwards that would wake it. So while a P is
// idle, a yield goes by way of g0, which puts A before it takes B; and a searcher that goes to sleep just
// then is woken by sysmon, which looks for Ps with a queue while another P is idle.
//
// All of it happens inside the runtime (entry.hpp); parking and yielding leave it, as crossings do.
// unlockf runs where P may already be running elsewhere the moment it has released: it must not touch
// P or P's stack after that.
#include "core/badstate.hpp"
#include "os/os.hpp"
#include "sched/mutex_trap.hpp"
#include "sched/sanitizer.hpp"
#include "sched/switch.hpp"
#include "weft/go.hpp"
#include "weft/this_goroutine.hpp"

namespace weft::rt {

namespace {

using detail::crossing;

/// P3 and P4. On g0, or on the stack of the goroutine that runs next.
void commit_park(m* mp, g* gp) noexcept {
    auto unlockf = std::exchange(mp->waitunlockf, nullptr);
    void* lock = mp->waitlock;
    p* pp = mp->p;
    gp->m = nullptr;
    gp->status.store(gstatus::waiting, release);
    if (unlockf == nullptr || unlockf(gp, lock)) return;
    gp->status.store(gstatus::runnable, relaxed);
    runqput(pp, gp, true);
    wake_after_put(pp);
}

void commit_park_after_switch(void* gp_) noexcept {
    auto* gp = static_cast<g*>(gp_);
    commit_park(gp->m, gp);
    leave(getg()); // the one that was arrived at
}

/// Go: park_m.
void park_m(g* gp) {
    m* mp = landed(gp);
    mp->curg = nullptr;
    commit_park(mp, gp);
    schedule();
}

/// Go: goyield_m.
void goyield_m(g* gp) {
    m* mp = landed(gp);
    mp->curg = nullptr;
    gp->m = nullptr;
    gp->status.store(gstatus::runnable, relaxed);
    if (force_migration) {
        globrunqput(*mp->rt, gp);
        wakep(*mp->rt);
        os::yield_thread();
    } else {
        runqput(mp->p, gp, false);
        wake_after_put(mp->p);
    }
    schedule();
}

/// The last step of a yield but the crossing, which is the caller's. *where + 1 is to be published then.
crossing leave_runnable(g* gp, g* next, std::uint32_t* where) noexcept {
    gp->status.store(gstatus::runnable, relaxed);
    gp->schedlink = reinterpret_cast<g*>(where);
    return {gp, next};
}

/// Everything that the shortest way does not do itself. gp is inside.
[[gnu::noinline]] crossing yield_inside(g* gp) {
    p* pp = gp->m->p;
    if (pp->attention.load(relaxed)) mutex_trap::look(gp);
    constexpr crossing stay{nullptr, nullptr};
    // With an idle P, gp has to be in the queue before next leaves it: see "Yielding" at the head.
    const bool by_g0 = (gp->special & special::locked) != 0 || (pp->wakes && pp->rt->sched.npidle.load(relaxed) != 0);
    g* next = by_g0 ? nullptr : take_next(gp, pp);
    if (next == nullptr) {
        // Nobody to run: go on. Every so often schedule() looks further than the own queue.
        const bool alone = (gp->special & special::locked) == 0 && !pp->attention.load(relaxed) &&
                           pp->schedtick != pp->global_tick && pp->runq.empty() &&
                           pp->rt->sched.runqsize.load(relaxed) == 0;
        if (alone) {
            pp->schedtick++;
            leave(gp);
        } else {
            mcall(goyield_m);
        }
        return stay;
    }
    std::uint32_t* where;
    std::uint32_t what;
    if (!pp->runq.prepare_put(gp, where, what)) {
        runqput(pp, next, true);
        mcall(goyield_m);
        return stay;
    }
    m* mp = gp->m;
    save_eh(gp, mp);
    run_next(mp, pp, next);
    return leave_runnable(gp, next, where);
}

/// The calling goroutine may not be one, or is special.
[[gnu::noinline]] crossing yield_slowly() {
    g* gp = current_goroutine();
    if (gp == nullptr) detail::no_goroutine();
    enter(gp);
    return yield_inside(gp);
}

/// next, taken from the queue, is fresh, comes back into a catch block, or needs a thread of its own.
[[gnu::noinline]] crossing yield_to_special(g* gp, p* pp, g* next, std::uint32_t* where) {
    if ((next->special & special::locked) != 0) {
        runqput(pp, next, true);
        mcall(goyield_m);
        return {nullptr, nullptr};
    }
    run_next(gp->m, pp, next);
    return leave_runnable(gp, next, where);
}

/// A yield but for the crossing. Calls nothing where it goes the shortest way.
[[gnu::always_inline]] inline crossing prepare_yield() {
    g* gp = getg();
    if (gp == nullptr || gp->special != 0) [[unlikely]]
        return yield_slowly();
    enter(gp);
    m* mp = gp->m;
    p* pp = mp->p;
    if (!pp->eh->empty() || pp->attention.load(relaxed) || pp->schedtick == pp->global_tick || pp->runq.has_next())
        [[unlikely]]
        return yield_inside(gp);
    if (pp->wakes && pp->rt->sched.npidle.load(relaxed) != 0) [[unlikely]]
        return yield_inside(gp);
    std::uint32_t* where;
    g* next = pp->runq.rotate(gp, where, fetch_ahead);
    if (next == nullptr) [[unlikely]]
        return yield_inside(gp);
    if (next->special != 0) [[unlikely]]
        return yield_to_special(gp, pp, next, where);
    pp->schedtick++;
    g* guessed = gp->schedlink; // see take_next
    if (next == guessed) {
        asm("" : "+r"(guessed));
        next = guessed;
    }
    run_plain(mp, pp, next);
    return leave_runnable(gp, next, where);
}

} // namespace

void await_off_stack(const g* gp) noexcept {
    constexpr int patience = 200;
    for (int looks = 0;; looks++) {
        const gstatus status = gp->status.load(acquire);
        if (status == gstatus::waiting) return;
        if (status != gstatus::entered) fatal("bad g->status in ready");
        if (looks < patience)
            cpu::pause();
        else
            os::yield_thread();
    }
}

void gopark(bool (*unlockf)(g*, void*), void* lock, wait_reason reason) {
    g* gp = getg();
    if (gp->status.load(relaxed) != gstatus::entered) fatal_raw("gopark: the goroutine is not inside the runtime");
    m* mp = gp->m;
    p* pp = mp->p;
    if (pp->attention.load(relaxed)) mutex_trap::look(gp);
    gp->reason = reason;
    gp->waitsince = pp->seconds.load(relaxed);
    gp->waiting_for = lock;
    if (pp->solo && gp->special == 0) {
        // With one P nobody can ready gp before it is off its stack, so P3 may come first, and P4 costs nothing.
        gp->status.store(gstatus::waiting, relaxed);
        if (unlockf != nullptr && !unlockf(gp, lock)) {
            leave(gp);
            return;
        }
        unlockf = nullptr;
    }
    mp->waitunlockf = unlockf;
    mp->waitlock = lock;
    g* next = (gp->special & special::locked) == 0 ? take_next(gp, pp) : nullptr;
    if (next == nullptr) {
        mcall(park_m);
    } else {
        save_eh(gp, mp);
        run_next(mp, pp, next);
        if (unlockf == nullptr) // P3 is this store alone
            weft_switchto(gp, next, reinterpret_cast<std::uint32_t*>(&gp->status),
                          static_cast<std::uint32_t>(gstatus::waiting));
        else
            weft_switchto_call(gp, next, commit_park_after_switch, gp);
    }
    if (gp->racectx != nullptr) sanitizer::race_acquire(gp);
}

void ready_on(p* pp, g* gp) { ready_here(pp, gp); }

void ready(g* gp) {
    const g* self = getg();
    if (self == nullptr || self->m->rt != gpool::runtime_of(gp))
        fatal_raw("weft: a goroutine was readied from outside its runtime");
    ready_on(self->m->p, gp);
}

} // namespace weft::rt

weft::detail::crossing weft::detail::begin_yield() {
    using namespace weft::rt;
    const crossing c = prepare_yield();
    if (c.to != nullptr) take_over(c);
    return c;
}

void weft::detail::yield_by_call() {
    using namespace weft::rt;
    const crossing c = prepare_yield();
    if (c.to == nullptr) return;
    auto* where = reinterpret_cast<std::uint32_t*>(c.from->schedlink);
    weft_switchto(c.from, c.to, where, *where + 1);
}
