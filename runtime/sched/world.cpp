// SPDX-License-Identifier: MIT
// Stopping the scheduler: every P in one hand, so that nothing is scheduled and every goroutine that does not run
// stands still. Go: stopTheWorld, startTheWorld, gcstopm.
//
// Go stops code, too: there, who has no P does not run. Here a goroutine in its own code goes on without its P
// (entry.hpp), and stops at its next entry.
//
//   stopper T1. takes rt.world, outside: who waits for it may lose its P. Then a goroutine enters, and keeps its P. Its
//               end does not come meanwhile: it has the gate, without which no runtime ends (runtime.cpp).
//           T2. under sched.lock: gcwaiting; it counts as an m that runs (nothing is a deadlock meanwhile).
//           T3. attention of all Ps: switches go by schedule().
//           T4. again and again: idle Ps go to the stopped list (sched.lock); from those that run, take_p. Until all
//           are
//               there, or patience is over. Where options::max_threads leaves no room for the threads that
//               the owners keep, none is taken: they have to come by themselves, or S2 would be one thread too many.
//   m       G1. findrunnable, with a P and at the beginning of each round: gcwaiting (acquire): no longer spinning;
//               under sched.lock, if still gcwaiting: its P goes to the stopped list, the stopper's note is poked.
//           G2. stopm: whoever starts the world, or anything later, wakes it.
//   starter S1. under sched.lock: gcwaiting is over, attention as before, the stopped list is its own.
//           S2. each P goes to handoffp: an m for it where it has work, or anybody has. S3. T2 is undone.
// A P that is on its way (in m.nextp, in the hand of who takes it from a blocked goroutine) comes by findrunnable or
// by the idle list. What a stopper sees of a goroutine that does not run was published before its P came to the list:
// by sched.lock, or by take_p's acquire. test/model/world.pml checks this.
// Where the process ends, S is left out: a world that goes on could fail a second time.
// The end of the runtime comes first: stopping ends T4, and T2's and S1's locks see it.
#include <mutex>

#include "core/badstate.hpp"
#include "os/os.hpp"
#include "sched/proc.hpp"

namespace weft::rt {

namespace {

constexpr std::int64_t between_looks_ns = 20'000;

/// T4, once. own: a P that stays with the caller. starts_again: the world is to go on.
bool all_stopped(runtime_impl& rt, const p* own, bool starts_again) noexcept {
    schedt& sched = rt.sched;
    const std::int32_t all = rt.procs() - (own != nullptr ? 1 : 0);
    bool may_take;
    {
        const std::lock_guard hold(sched.lock);
        while (p* pp = pidleget_locked(rt)) put_stopped_locked(rt, pp);
        may_take = !starts_again || all <= sched.nmidle + threads_left_locked(rt);
    }
    for (const auto& pp : rt.allp) {
        if (pp == own || pp->status.load(relaxed) != pstatus::running || !may_take || !take_p(pp)) continue;
        const std::lock_guard hold(sched.lock);
        put_stopped_locked(rt, pp);
    }
    const std::lock_guard hold(sched.lock);
    return sched.nstopped == all;
}

} // namespace

void put_stopped_locked(runtime_impl& rt, p* pp) noexcept {
    pp->status.store(pstatus::gcstop, relaxed);
    pp->link = rt.sched.stopped;
    rt.sched.stopped = pp;
    rt.sched.nstopped++;
}

namespace {

bool stop_all(runtime_impl& rt, std::int64_t patience_ns, const p* own, bool starts_again) {
    schedt& sched = rt.sched;
    const std::int64_t until = os::nanotime_after(patience_ns);
    {
        const std::lock_guard hold(sched.lock);
        if (sched.stopping.load(relaxed)) return false;
        sched.nmidlelocked--;
        sched.gcwaiting.store(true, release);
        for (const auto& pp : rt.allp) pp->attention.store(true, relaxed);
    }
    while (!all_stopped(rt, own, starts_again)) {
        if (sched.stopping.load(acquire) || os::nanotime() > until) return false;
        sched.stopnote.sleep_for(between_looks_ns);
        sched.stopnote.consume();
    }
    return true;
}

} // namespace

bool freeze_the_world(runtime_impl& rt, std::int64_t patience_ns, const p* own) {
    return stop_all(rt, patience_ns, own, false);
}

bool stop_the_world(runtime_impl& rt, std::int64_t patience_ns, const p* own) {
    if (stop_all(rt, patience_ns, own, true)) return true;
    if (rt.sched.gcwaiting.load(relaxed)) start_the_world(rt); // else it was stopping from the beginning
    return false;
}

void start_the_world(runtime_impl& rt) {
    schedt& sched = rt.sched;
    p* stopped;
    {
        const std::lock_guard hold(sched.lock);
        sched.gcwaiting.store(false, relaxed);
        stopped = std::exchange(sched.stopped, nullptr);
        sched.nstopped = 0;
        for (p* pp = stopped; pp != nullptr; pp = pp->link) pp->status.store(pstatus::idle, relaxed);
        for (const auto& pp : rt.allp) pp->attention.store(sched.stopping.load(relaxed) || always_by_g0(), relaxed);
    }
    while (stopped != nullptr) {
        p* pp = std::exchange(stopped, stopped->link);
        handoffp(rt, pp);
    }
    const std::lock_guard hold(sched.lock);
    sched.nmidlelocked++;
    sched.sysmonnote.poke(); // it looks for a deadlock: the caller may have the gate, with which none is to be reported
}

void gcstopm(m* mp) {
    runtime_impl& rt = *mp->rt;
    schedt& sched = rt.sched;
    if (mp->spinning) {
        mp->spinning = false;
        if (sched.nmspinning.fetch_sub(1, seq_cst) <= 0) fatal_raw("gcstopm: negative nmspinning");
    }
    {
        const std::lock_guard hold(sched.lock);
        if (!sched.gcwaiting.load(relaxed) || sched.stopping.load(relaxed)) return;
        put_stopped_locked(rt, releasep(mp));
        leaving_locked(mp);
        sched.stopnote.poke();
    }
    stopm(mp);
}

} // namespace weft::rt
