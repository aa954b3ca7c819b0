// SPDX-License-Identifier: MIT
// Waking and parking ms so that no runnable goroutine is left alone with an idle P, and no more ms are
// awake than there is work for. Go: the comment "Worker thread parking/unparking" of proc.go, wakep,
// startm, stopm, handoffp, resetspinning.
//
// Three approaches that Go rejected, for the same reasons here: deciding centrally would make every
// scheduling operation take one lock; handing the P over with every goroutine that becomes ready bounces
// threads and loses the locality of goroutines that wake each other; waking an m for every goroutine
// without asking whether one looks for work already wakes too many, most of which find nothing.
//
// An m is spinning when it has run out of work and looks for some before it sleeps; nmspinning counts them.
//   Submitter (wake_after_put)               Searcher (findrunnable)
//   W1. put the goroutine on a queue          S1. it found nothing: its P goes to pidle (under sched.lock)
//   W2. StoreLoad (light)                     S2. nmspinning − 1, StoreLoad (heavy)
//   W3. npidle > 0 and nmspinning == 0:       S3. looks at all queues again; finds work: takes an idle P,
//       wakep                                     nmspinning + 1, and from the beginning
// Light and heavy: as in runq.hpp. Submitters are many, and searchers about to sleep have time for a membarrier.
// Either the submitter's read in W3 sees that nobody spins any more, or the searcher's look in S3 sees the
// goroutine: W2 and S2 exclude that both miss. The last spinner that finds work wakes another one
// (resetspinning), because more may have come while it was the only one that looked.
// A searcher that finds work in S3 but no idle P leaves needspinning = 1: the m that is about to give its P
// back (findrunnable, under sched.lock) then spins instead. test/model/idle.pml checks all this.
// Two things are left to others: a goroutine that yields is on no queue for a moment (park.cpp, "Yielding"), and an m
// that found stealing not worth while naps with its P in hand (steal.cpp).
// An m that has given its P away and does not sleep yet can be woken by nobody. Where options::max_threads leaves no
// other, the P waits for it (pwanting), and it takes that instead of sleeping: both under sched.lock. Where there is
// not even such an m, a wake-up is given up, and sysmon wakes one later (sysmon.cpp); a handoffp ends the process, as
// in Go. With one P there is nobody to wake but when the P is idle, which its owner's own look prevents.
#include <mutex>
#include <utility>

#include "core/badstate.hpp"
#include "os/os.hpp"
#include "sched/proc.hpp"

namespace weft::rt {

namespace {

m* mget_locked(schedt& sched) noexcept {
    m* mp = sched.midle;
    if (mp == nullptr) return nullptr;
    sched.midle = mp->schedlink;
    sched.nmidle--;
    return mp;
}

void mput_locked(runtime_impl& rt, m* mp) noexcept {
    mp->schedlink = rt.sched.midle;
    rt.sched.midle = mp;
    rt.sched.nmidle++;
    checkdead_locked(rt);
}

/// Go: mspinning.
void mspinning() { weft_getg()->m->spinning = true; }

} // namespace

void acquirep(m* mp, p* pp) noexcept {
    if (pp->m != nullptr || mp->p != nullptr) fatal_raw("wirep: already in go");
    mp->p = pp;
    pp->m = mp;
    pp->eh = mp->eh;
    pp->status.store(pstatus::running, relaxed);
}

p* releasep(m* mp) noexcept {
    p* pp = mp->p;
    if (pp == nullptr || pp->m != mp) fatal_raw("releasep: invalid p state");
    mp->p = nullptr;
    pp->m = nullptr;
    pp->status.store(pstatus::idle, relaxed);
    return pp;
}

void set_clocks(runtime_impl& rt, std::int64_t now) noexcept {
    const std::uint32_t seconds = rt.seconds_at(now);
    for (const auto& pp : rt.allp) pp->seconds.store(seconds, relaxed);
}

p* pidleget_locked(runtime_impl& rt) noexcept {
    schedt& sched = rt.sched;
    p* pp = sched.pidle;
    if (pp == nullptr) return nullptr;
    sched.pidle = pp->link;
    sched.npidle.fetch_sub(1, seq_cst);
    if (sched.sysmonwait.load(relaxed)) { // no longer everything idle: sysmon watches again
        sched.sysmonwait.store(false, relaxed);
        sched.sysmonnote.poke();
        set_clocks(rt, os::nanotime());
    }
    return pp;
}

p* pidleget_spinning_locked(runtime_impl& rt) noexcept {
    p* pp = pidleget_locked(rt);
    if (pp == nullptr) rt.sched.needspinning.store(1, relaxed);
    return pp;
}

void pidleput_locked(runtime_impl& rt, p* pp) noexcept {
    if (!pp->runq.empty()) fatal_raw("pidleput: P has non-empty run queue");
    pp->link = rt.sched.pidle;
    rt.sched.pidle = pp;
    rt.sched.npidle.fetch_add(1, seq_cst);
}

void leaving_locked(m* mp) noexcept {
    mp->leaving = true;
    mp->rt->sched.nleaving++;
}

void staying_locked(m* mp) noexcept {
    if (std::exchange(mp->leaving, false)) mp->rt->sched.nleaving--;
}

p* wanting_locked(m* mp) noexcept {
    schedt& sched = mp->rt->sched;
    p* pp = sched.pwanting;
    if (pp == nullptr) return nullptr;
    sched.pwanting = pp->link;
    sched.nwanting--;
    staying_locked(mp);
    return pp;
}

void become_spinning(m* mp) noexcept {
    mp->spinning = true;
    mp->rt->sched.nmspinning.fetch_add(1, seq_cst);
    mp->rt->sched.needspinning.store(0, relaxed);
}

void resetspinning(m* mp) {
    mp->spinning = false;
    if (mp->rt->sched.nmspinning.fetch_sub(1, seq_cst) <= 0) fatal_raw("findrunnable: negative nmspinning");
    wakep(*mp->rt);
}

void wake_after_put(p* pp) {
    if (!pp->wakes) return;
    if (pp->rt->asymmetric) // W2
        std::atomic_signal_fence(seq_cst);
    else
        store_load_barrier();
    const schedt& sched = pp->rt->sched;
    if (sched.npidle.load(relaxed) > 0 && sched.nmspinning.load(relaxed) == 0) wakep(*pp->rt);
}

void wakep(runtime_impl& rt) {
    schedt& sched = rt.sched;
    // One waker at a time: whoever brings nmspinning from 0 to 1.
    std::int32_t none = 0;
    if (sched.nmspinning.load(relaxed) != 0 || !sched.nmspinning.compare_exchange_strong(none, 1, seq_cst)) return;
    p* pp;
    {
        std::lock_guard hold(sched.lock);
        pp = pidleget_spinning_locked(rt);
    }
    if (pp == nullptr) {
        sched.nmspinning.fetch_sub(1, seq_cst);
        return;
    }
    startm(rt, pp, true);
}

void startm(runtime_impl& rt, p* pp, bool spinning) {
    schedt& sched = rt.sched;
    m* mp;
    std::int64_t id = -1;
    {
        std::lock_guard hold(sched.lock);
        if (sched.stopping.load(relaxed)) return;
        if (pp == nullptr) {
            pp = spinning ? pidleget_spinning_locked(rt) : pidleget_locked(rt);
            if (pp == nullptr) {
                if (spinning) sched.nmspinning.fetch_sub(1, seq_cst);
                return;
            }
        }
        mp = mget_locked(sched);
        if (mp != nullptr) {
            if (mp->spinning || mp->nextp != nullptr) fatal_raw("startm: m is spinning, or has p");
            mp->spinning = spinning;
            mp->nextp = pp;
        } else if (threads_left_locked(rt) <= 0 && sched.nleaving > sched.nwanting) {
            pp->link = std::exchange(sched.pwanting, pp);
            sched.nwanting++;
            if (spinning) sched.nmspinning.fetch_sub(1, seq_cst);
            return;
        } else if (spinning && !sched.main_waits && threads_left_locked(rt) <= 0) {
            // What is queued has an owner, or sysmon sees it.
            pidleput_locked(rt, pp);
            sched.nmspinning.fetch_sub(1, seq_cst);
            return;
        } else {
            id = sched.mnext++; // here, so that checkdead counts the new m while it is being made
        }
    }
    if (mp == nullptr)
        newm(rt, spinning ? mspinning : nullptr, pp, id);
    else
        wake_parked(mp);
}

void sleep_parked(m* mp) {
    schedt& sched = mp->rt->sched;
    mp->park.sleep();
    mp->park.clear();
    mp->last_steal.woken = true;
    // Poked by stop_world_for_good, which has the lock: after it, nobody gives this m a P any more.
    if (sched.stopping.load(acquire)) std::lock_guard hold(sched.lock);
    if (mp->nextp != nullptr) acquirep(mp, std::exchange(mp->nextp, nullptr));
}

void wake_parked(m* mp) {
    if (!mp->park.poke() && !mp->rt->sched.stopping.load(acquire)) fatal_raw("notewakeup - double wakeup");
}

void stopm(m* mp) {
    schedt& sched = mp->rt->sched;
    if (mp->locks != 0 || mp->p != nullptr || mp->spinning) fatal_raw("stopm: holding locks, P, or spinning");
    {
        std::lock_guard hold(sched.lock);
        if (sched.stopping.load(relaxed)) return;
        if (p* pp = wanting_locked(mp)) {
            acquirep(mp, pp);
            return;
        }
        staying_locked(mp);
        mput_locked(*mp->rt, mp);
    }
    sleep_parked(mp);
}

void handoffp(runtime_impl& rt, p* pp) {
    // Must start an m wherever findrunnable would find something for pp.
    schedt& sched = rt.sched;
    if (!pp->runq.empty() || sched.runqsize.load(relaxed) != 0 || pp->timers.next_when() != 0) {
        startm(rt, pp, false); // with timers: whoever finds nothing to do becomes the sleeper
        return;
    }
    std::int32_t none = 0;
    if (rt.procs() > 1 && sched.nmspinning.load(seq_cst) + sched.npidle.load(seq_cst) == 0 &&
        sched.nmspinning.compare_exchange_strong(none, 1, seq_cst)) {
        sched.needspinning.store(0, relaxed);
        startm(rt, pp, true);
        return;
    }
    {
        std::lock_guard hold(sched.lock);
        if (sched.runq.empty() && !sched.main_waits) {
            pidleput_locked(rt, pp);
            return;
        }
    }
    startm(rt, pp, false);
}

void checkdead_locked(runtime_impl& rt) {
    schedt& sched = rt.sched;
    if (sched.stopping.load(relaxed) || !rt.main_started) return;
    const std::int64_t running = sched.mnext - sched.nmfreed - sched.nmidle - sched.nmidlelocked - sched.nmsys;
    if (running > 0) return;
    if (running < 0) fatal_raw("checkdead: inconsistent counts");
    if (!sched.runq.empty()) return; // newproc_anywhere is between its put and its wakep
    if (sched.external > 0 || sched.deadlock_told || earliest_timer(rt) != 0) return;
    sched.deadlock_told = true; // before the lock is let go of: sysmon looks, too
    sched.lock.unlock();
    if (!rt.opts.on_deadlock) fatal("all goroutines are asleep - deadlock!");
    tell_deadlock(rt);
    sched.lock.lock();
}

} // namespace weft::rt
