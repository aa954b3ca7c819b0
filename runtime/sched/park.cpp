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
#include "core/badstate.hpp"
#include "os/os.hpp"
#include "sched/sanitizer.hpp"
#include "sched/switch.hpp"
#include "weft/go.hpp"
#include "weft/this_goroutine.hpp"

namespace weft::rt {

namespace {

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

/// There is no next goroutine, or it is schedule()'s turn, or gp needs more than the shortest way.
[[gnu::noinline]] void yield_slowly(const g* gp, p* pp) {
    // Nobody to run: go on. Every so often schedule() looks further than the own queue.
    const bool alone = (gp->special & special::locked) == 0 && !pp->attention.load(relaxed) &&
                       pp->schedtick != pp->global_tick && pp->runq.empty() &&
                       pp->rt->sched.runqsize.load(relaxed) == 0;
    if (alone)
        pp->schedtick++;
    else
        mcall(goyield_m);
}

/// next needs more than the shortest way, or the ring is full and its overflow is schedule()'s affair.
[[gnu::noinline]] void yield_to_special(g* gp, p* pp, g* next) {
    std::uint32_t* where;
    std::uint32_t what;
    if (!pp->runq.prepare_put(gp, where, what)) {
        runqput(pp, next, true);
        mcall(goyield_m);
        return;
    }
    m* mp = gp->m;
    gp->status.store(gstatus::runnable, relaxed);
    run_next(mp, pp, next);
    weft_switchto(gp, next, where, what);
}

} // namespace

void gopark(bool (*unlockf)(g*, void*), void* lock, wait_reason reason) {
    g* gp = weft_getg();
    m* mp = gp->m;
    p* pp = mp->p;
    gp->reason = reason;
    gp->waiting_for = lock;
    if (pp->solo && gp->special == 0) {
        // With one P nobody can ready gp before it is off its stack, so P3 may come first, and P4 costs nothing.
        gp->status.store(gstatus::waiting, relaxed);
        if (unlockf != nullptr && !unlockf(gp, lock)) {
            gp->status.store(gstatus::running, relaxed);
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

void ready_on(p* pp, g* gp) {
    if (gp->status.load(acquire) != gstatus::waiting) [[unlikely]]
        fatal("bad g->status in ready");
    if (pp->watched) sanitizer::race_release(gp);
    gp->status.store(gstatus::runnable, relaxed);
    if (force_migration) {
        globrunqput(*pp->rt, gp);
        wakep(*pp->rt);
        return;
    }
    if (g* kicked = pp->runq.put_next(gp)) runqput(pp, kicked, false);
    wake_after_put(pp);
}

void ready(g* gp) {
    const g* self = weft_getg();
    if (self == nullptr || self->m->rt != gpool::runtime_of(gp))
        fatal_raw("weft: a goroutine was readied from outside its runtime");
    ready_on(self->m->p, gp);
}

} // namespace weft::rt

// Nothing here but tail calls and what cannot be called, so that the compiler needs no frame: the switch
// itself saves the registers once.
void weft::yield() {
    using namespace weft::rt;
    g* gp = weft_getg();
    if (gp == nullptr || gp == gp->m->g0) [[unlikely]]
        return detail::no_goroutine();
    m* mp = gp->m;
    p* pp = mp->p;
    if (gp->special != 0 || !mp->eh->empty()) [[unlikely]]
        return yield_slowly(gp, pp);
    g* next = take_next(gp, pp);
    std::uint32_t* where;
    std::uint32_t what;
    if (next == nullptr) return yield_slowly(gp, pp);
    if (next->special != 0) [[unlikely]]
        return yield_to_special(gp, pp, next);
    if (!pp->runq.prepare_put(gp, where, what)) [[unlikely]]
        return yield_to_special(gp, pp, next);
    gp->status.store(gstatus::runnable, relaxed);
    next->m = mp;
    next->status.store(gstatus::running, relaxed);
    mp->curg = next;
    next->schedlink = pp->runq.guess_head();
    weft_switchto(gp, next, where, what);
}
