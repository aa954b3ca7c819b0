// SPDX-License-Identifier: MIT
// The border between a goroutine's own code and the runtime. On its own side of it a goroutine owes nobody
// cooperation: it may block its thread or compute for ever, and others take its P away meanwhile, as Go's sysmon does
// with system calls. It keeps its thread, and at its next entry it queues for a P.
//
// O: the goroutine's thread. T: who takes the P away (sysmon, stop_the_world). g.status says on which side the
// goroutine stands: running (or syscall, which is announced) in its own code, anything else inside.
//   O enters  E1. status = entered. E2. light barrier. E3. m.claim (acquire, pairs with T4): free: m.p is its own
//             until it leaves. claimed: T is looking: status = running, wait for T4 (at last in the kernel: the bit
//             sleeps, and T4 wakes), again from E1. lost: m.p is gone: claim = free; get one (syscall.cpp); again
//             from E1.
//   O leaves  L1. status = running (release, pairs with T3), the last thing that it does inside. A crossing leaves,
//             too: its asm stores the arriving goroutine's status when that one's stack is in use and the other is
//             saved (weft_gogo, weft_switchto, weft::detail::cross); so after a park a goroutine is outside.
//   T         T1. m = p.m (acquire); CAS m.claim free → claimed (acquire, pairs with T4 of the taker before). T2. heavy
//             barrier. T3. m.curg and its status, and both again (acquire, pairs with L1): the same goroutine, both
//             times running or syscall; and m.p == p? T4. yes: m.p = p.m = null, claimed → lost; no: claimed is
//             taken away (acq_rel); who sleeps is woken.
//   E2 and T2 together order E1 before E3 and T1 before T3 for both threads (StoreLoad): either O sees the claim, or
//   T sees it inside. The light barrier stops the compiler only; the heavy one is membarrier(2). Where the kernel has
//   none, the bit symmetric is always set, so that every entry takes the slow way, which has a fence.
//   While O is inside, curg is null (on g0), or a goroutine that is not running: the one that entered, or the one that
//   is arrived at, until the crossing is over. Why T3 looks twice: the first look may find the one that entered, A,
//   which O leaves meanwhile, so that another thread runs it and the status is that thread's. But from T2 on O can at
//   most finish the stay it is in, with one arrival, and curg was changed before A was published; so if curg is A
//   again, A is the arrival, and when its status is seen to be running after that, it has arrived. ms are not freed
//   while the runtime lives (thread.cpp): T1 may find one that has let go of p, and T3 says so. Before its memory
//   serves another m it is lost for good (retire_claim), and every taker has left it: none finds another m's goroutine
//   in T3 with a claim that this one knows nothing of.
// test/model/retake.pml checks this.
#pragma once

#include "core/getg.hpp"
#include "sched/g.hpp"
#include "sched/m.hpp"

namespace weft::rt {

/// E3's other ways. Returns inside, with a P; maybe later, but on the same thread.
void enter_slowly(g* gp) noexcept;
/// The same, but without getting a P: whether it was lost. Then the m is free of claims.
bool lost_its_p(g* gp) noexcept;

/// E1 to E3, the shortest way; false: E3's other ways are to be looked at.
[[gnu::always_inline]] inline bool try_enter(g* gp) noexcept {
    gp->status.store(gstatus::entered, relaxed);
    std::atomic_signal_fence(seq_cst);
    return gp->m->claim.load(acquire) == claim::free;
}

/// E1 to E3 for gp, which is this thread's g and outside. Afterwards gp->m->p may be used until it leaves.
[[gnu::always_inline]] inline void enter(g* gp) noexcept {
    if (!try_enter(gp)) [[unlikely]]
        enter_slowly(gp);
}

/// L1. Harmless outside.
[[gnu::always_inline]] inline void leave(g* gp) noexcept { gp->status.store(gstatus::running, release); }

/// The calling goroutine, outside, or null where there is none that may enter: on g0, on a thread of no
/// runtime, inside blocking() and preemptible(). Any thread.
inline g* current_goroutine() noexcept {
    g* gp = getg();
    return gp != nullptr && (gp->special & (special::system | special::syscall | special::region)) == 0 ? gp : nullptr;
}

/// The goroutine in whose own code the calling thread is, whatever that may call of weft: on its stack, inside
/// blocking() and preemptible() too, or on the system stack (system_stack.cpp). Null where there is none. Any thread.
const g* goroutine_here() noexcept;

/// A stay inside, for the length of a scope or until a park, which ends it. Every public function that needs
/// the P begins with one; nothing of the program's may be called meanwhile. gp is null where there is no goroutine.
class entry {
public:
    entry() noexcept : gp(current_goroutine()) {
        if (gp != nullptr) enter(gp);
    }
    ~entry() {
        if (gp != nullptr) leave(gp);
    }
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;

    /// Its P. Not after a park.
    rt::p* pp() const noexcept { return gp->m->p; }

    g* const gp;
};

/// T1 to T4: takes pp away from the goroutine that runs on it, if that is in its own code. True: pp is the
/// caller's, on no list, idle. Any thread, without sched.lock.
bool take_p(p* pp) noexcept;

/// For an m without a P and without curg: from now on nobody claims it, until it is made anew, and no taker looks at
/// it.
void retire_claim(m* mp) noexcept;

} // namespace weft::rt
