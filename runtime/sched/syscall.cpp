// SPDX-License-Identifier: MIT
// Announced system calls. Go: entersyscallblock, exitsyscall, exitsyscall0.
//
//   B1. entersyscallblock: status = syscall; the P goes to handoffp. m.curg and the thread's g stay: the goroutine
//       keeps its stack and its m, which counts as running for checkdead.
//   B2. f runs. The m has no P: everything that needs one refuses (special::syscall).
//   B3. exitsyscall: under sched.lock, an idle P is taken if there is one. Else, on g0:
//   B4. under sched.lock again: an idle P: go on with it. None: the goroutine goes to the global queue, and the m to
//       sleep. A P that becomes idle looks at the global queue under the same lock (findrunnable), so it
//       sees the goroutine, or B4 sees the P.
// A goroutine that is tied to its thread leaves B4 by schedule(), where its m waits for it.
#include "weft/blocking.hpp"

#include <cerrno>
#include <mutex>

#include "sched/switch.hpp"

namespace weft::rt {

namespace {

/// errno's address belongs to the thread, and compilers keep it across calls: so in a function of its own.
[[gnu::noinline]] void set_errno(int value) noexcept { errno = value; }

/// B3. False: no P is idle, or the runtime stops.
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

/// B4. Go: exitsyscall0.
void exitsyscall0(g* gp) {
    m* mp = landed(gp);
    schedt& sched = mp->rt->sched;
    mp->curg = nullptr;
    gp->m = nullptr;
    gp->special &= ~special::syscall;
    gp->status.store(gstatus::runnable, relaxed);
    p* pp = nullptr;
    {
        std::lock_guard hold(sched.lock);
        if (!sched.stopping.load(relaxed)) {
            pp = pidleget_locked(*mp->rt);
            if (pp == nullptr) {
                sched.runq.push_back(gp);
                sched.runqsize.store(sched.runq.size(), relaxed);
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

} // namespace weft::rt

namespace weft::detail {

using namespace weft::rt;

bool entersyscallblock() noexcept {
    g* gp = current_goroutine();
    if (gp == nullptr) return false;
    m* mp = gp->m;
    gp->status.store(gstatus::syscall, relaxed);
    gp->special |= special::syscall;
    on_systemstack([mp] { handoffp(*mp->rt, releasep(mp)); });
    return true;
}

void exitsyscall() noexcept {
    const int error = errno;
    g* gp = getg();
    if (take_idle_p(gp->m)) {
        gp->special &= ~special::syscall;
        gp->status.store(gstatus::running, relaxed);
    } else {
        mcall(exitsyscall0);
    }
    set_errno(error);
}

} // namespace weft::detail
