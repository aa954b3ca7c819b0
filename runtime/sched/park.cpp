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
//   R2. status must be waiting: anything else is "bad g->status in ready".
//   R3. P goes to R's own runnext, then the submitter's half of wake.cpp.
// unlockf runs where P may already be running elsewhere the moment it has released: it must not touch
// P or P's stack after that.
#include "os/os.hpp"
#include "sched/proc.hpp"
#include "sched/sanitizer.hpp"
#include "weft/this_goroutine.hpp"

#include <stdexcept>

namespace weft::rt {

namespace {

#ifdef WEFT_FORCE_MIGRATION
constexpr bool force_migration = true;
#else
constexpr bool force_migration = false;
#endif

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
}

void commit_park_after_switch(void* gp_) noexcept {
    auto* gp = static_cast<g*>(gp_);
    commit_park(gp->m, gp);
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
    }
    schedule();
}

/// The goroutine to which gp may switch directly, taken from its P's queue; null: by way of g0.
g* take_next(g* gp, p* pp) noexcept {
    if (force_migration || gp->lockedm != nullptr || pp->attention.load(relaxed) || sanitizer::present()) return nullptr;
    if ((pp->schedtick + 1) % global_queue_interval == 0) return nullptr; // the global queue's turn
    bool inherit;
    g* next = pp->runq.take(inherit);
    if (next == nullptr) return nullptr;
    if (next->lockedm != nullptr) {
        runqput(pp, next, true); // it needs its own thread: schedule() sees to it
        return nullptr;
    }
    if (!inherit) pp->schedtick++;
    if (next->stk.hi == 0) need_stack(pp, next);
    return next;
}

} // namespace

void gopark(bool (*unlockf)(g*, void*), void* lock, wait_reason reason) {
    g* gp = weft_getg();
    m* mp = gp->m;
    mp->waitunlockf = unlockf;
    mp->waitlock = lock;
    gp->reason = reason;
    gp->waiting_for = lock;
    if (g* next = take_next(gp, mp->p))
        switch_to_call(gp, next, commit_park_after_switch, gp);
    else
        mcall(park_m);
    sanitizer::race_acquire(gp);
}

void ready(g* gp) {
    m* mp = weft_getg()->m;
    if (gp->status.load(acquire) != gstatus::waiting) fatal("bad g->status in ready");
    sanitizer::race_release(gp);
    gp->status.store(gstatus::runnable, relaxed);
    if (force_migration) {
        globrunqput(*mp->rt, gp);
        wakep(*mp->rt);
        return;
    }
    runqput(mp->p, gp, true);
    wake_after_put(mp->p);
}

void goyield() {
    g* gp = weft_getg();
    p* pp = gp->m->p;
    g* next = take_next(gp, pp);
    if (next == nullptr) {
        // Nobody to run: go on. Every so often schedule() looks further than the own queue.
        if (!force_migration && gp->lockedm == nullptr && !pp->attention.load(relaxed) && pp->runq.empty() &&
            pp->rt->sched.runqsize.load(relaxed) == 0 && !sanitizer::present()) {
            pp->schedtick++;
            return;
        }
        mcall(goyield_m);
        return;
    }
    std::uint32_t* where;
    std::uint32_t what;
    if (!pp->runq.prepare_put(gp, where, what)) { // full: the overflow is schedule()'s affair
        runqput(pp, next, true);
        mcall(goyield_m);
        return;
    }
    gp->status.store(gstatus::runnable, relaxed);
    switch_to(gp, next, where, what);
}

} // namespace weft::rt
