// SPDX-License-Identifier: MIT
// Announced system calls, and the way back to a P for whoever has lost it. Go: entersyscall, entersyscallblock,
// exitsyscall, exitsyscall0; the shape is that of Go 1.26: the goroutine is looked at, then its P is taken.
//
//   entersyscall       B1. inside: syscalltick + 1. B2. status = syscall (release): the P stays where it is, and sysmon
//                      takes it after 20 µs where it is wanted (entry.hpp). Nothing is given away, nothing locked.
//   entersyscallblock  B1. inside: the P goes to handoffp at once. B2. status = syscall; m.claim = lost.
//   both               B3. f runs. Everything that needs a P refuses (special::syscall).
//   exitsyscall        B4. enters as from any of the goroutine's own code: the P is still there, or it is lost: R1, R2.
//   reacquire_p        The same for a goroutine that never announced anything. It may hold locks of the host's, and
//   calls
//                      something that is not known to park, so it stays on its thread: it is tied to it until it
//                      has a P.
//   both               R1. under sched.lock, an idle P is taken if there is one. Else, on g0:
//                      R2. under sched.lock again: an idle P: go on with it. None: the goroutine goes to the global
//                      queue, and the m to sleep. A P that becomes idle looks at the global queue under the same lock
//                      (findrunnable), so it sees the goroutine, or R2 sees the P.
// A goroutine that is tied to its thread leaves R2 by schedule(), where its m waits for it.
#include "weft/blocking.hpp"

#include <mutex>

#include "os/os.hpp"
#include "sched/switch.hpp"

namespace weft::rt {

namespace {

/// R1. False: no P is idle, or the runtime stops.
bool take_idle_p(m* mp) noexcept {
    schedt& sched = mp->rt->sched;
    p* pp;
    {
        std::lock_guard hold(sched.lock);
        pp = sched.stopping.load(relaxed) ? nullptr : pidleget_locked(*mp->rt);
    }
    if (pp == nullptr) return false;
    acquirep(mp, pp);
    return true;
}

/// R2. Go: exitsyscall0.
void exitsyscall0(g* gp) {
    m* mp = landed(gp);
    schedt& sched = mp->rt->sched;
    mp->curg = nullptr;
    gp->m = nullptr;
    gp->status.store(gstatus::runnable, relaxed);
    p* pp = nullptr;
    {
        std::lock_guard hold(sched.lock);
        if (!sched.stopping.load(relaxed)) {
            pp = pidleget_locked(*mp->rt);
            if (pp == nullptr) {
                sched.runq.push_back(gp);
                sched.runqsize.store(sched.runq.size(), relaxed);
                if (mp->lockedg == nullptr) leaving_locked(mp);
            }
        }
    }
    if (pp != nullptr) {
        acquirep(mp, pp);
        execute(mp, gp, false);
    }
    if (mp->lockedg == nullptr) {
        stopm(mp);
        if (mp->p == nullptr) mexit(mp); // the runtime stops
    }
    schedule();
}

} // namespace

void reacquire_p(g* gp) noexcept {
    m* mp = gp->m;
    if (take_idle_p(mp)) return;
    if ((gp->special & special::locked) != 0) {
        mcall(exitsyscall0);
        return;
    }
    mp->lockedg = gp;
    gp->lockedm = mp;
    gp->special |= special::locked;
    mcall(exitsyscall0);
    mp->lockedg = nullptr;
    gp->lockedm = nullptr;
    gp->special &= ~special::locked;
}

} // namespace weft::rt

namespace weft::detail {

using namespace weft::rt;

bool entersyscall() noexcept {
    g* gp = current_goroutine();
    if (gp == nullptr) return false;
    enter(gp);
    p* pp = gp->m->p;
    pp->syscalltick.store(pp->syscalltick.load(relaxed) + 1, relaxed);
    gp->special |= special::syscall;
    gp->status.store(gstatus::syscall, release);
    return true;
}

bool entersyscallblock() noexcept {
    g* gp = current_goroutine();
    if (gp == nullptr) return false;
    enter(gp);
    m* mp = gp->m;
    on_systemstack([mp] { handoffp(*mp->rt, releasep(mp)); });
    mp->claim.fetch_or(claim::lost, relaxed);
    gp->special |= special::syscall;
    gp->status.store(gstatus::syscall, release);
    return true;
}

void exitsyscall() noexcept {
    const int error = os::get_errno();
    g* gp = getg();
    gp->special &= ~special::syscall;
    if (!try_enter(gp) && lost_its_p(gp) && !take_idle_p(gp->m)) mcall(exitsyscall0);
    leave(gp);
    os::set_errno(error);
}

} // namespace weft::detail
