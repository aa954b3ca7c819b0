// SPDX-License-Identifier: MIT
// Goroutines that are tied to their thread. Go: LockOSThread, stoplockedm, startlockedm.
//
// While a goroutine is tied to m, m runs nothing else. When it stops running, m hands its P over and sleeps
// (stoplockedm); whoever finds it runnable gives m its own P and sleeps itself (startlockedm).
#include <mutex>

#include "core/badstate.hpp"
#include "sched/proc.hpp"
#include "weft/go.hpp"
#include "weft/this_goroutine.hpp"

namespace weft::rt {

void stoplockedm(m* mp) {
    schedt& sched = mp->rt->sched;
    if (mp->p != nullptr) handoffp(*mp->rt, releasep(mp));
    {
        std::lock_guard hold(sched.lock);
        if (sched.stopping.load(relaxed)) return;
        sched.nmidlelocked++;
        checkdead_locked(*mp->rt);
    }
    sleep_parked(mp);
}

void startlockedm(m* mp, g* gp) {
    schedt& sched = mp->rt->sched;
    m* its = gp->lockedm;
    if (its == mp) fatal_raw("startlockedm: locked to me");
    bool stopping;
    {
        std::lock_guard hold(sched.lock);
        stopping = sched.stopping.load(relaxed);
        if (!stopping) {
            if (its->nextp != nullptr) fatal_raw("startlockedm: m has p");
            sched.nmidlelocked--;
            its->nextp = releasep(mp);
            leaving_locked(mp);
        }
    }
    if (stopping) mexit(mp);
    wake_parked(its);
    stopm(mp);
    if (mp->p == nullptr) mexit(mp); // the runtime stops
}

} // namespace weft::rt

namespace weft::this_goroutine {

void lock_os_thread() {
    rt::g* gp = rt::current_goroutine();
    if (gp == nullptr) detail::no_goroutine();
    rt::m* mp = gp->m;
    if (mp->locked_ext + 1 == 0) throw std::logic_error("LockOSThread nesting overflow");
    mp->locked_ext++;
    mp->lockedg = gp;
    gp->lockedm = mp;
    gp->special |= rt::special::locked;
}

void unlock_os_thread() {
    rt::g* gp = rt::current_goroutine();
    if (gp == nullptr) detail::no_goroutine();
    rt::m* mp = gp->m;
    if (mp->locked_ext == 0 || --mp->locked_ext > 0 || mp->attached) return;
    mp->lockedg = nullptr;
    gp->lockedm = nullptr;
    gp->special &= ~rt::special::locked;
}

} // namespace weft::this_goroutine
