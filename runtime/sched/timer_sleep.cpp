// SPDX-License-Identifier: MIT
// Who wakes when the next timer is due and nobody runs. Go: findRunnable's netpoll(delay), wakeNetPoller; there is no
// network poller yet, and whoever will wait in it takes this place.
//
// A P that has an owner is looked after: its owner runs what is due when it looks for the next goroutine, and sysmon
// takes the P from a goroutine that computes past it (retake.cpp). For the rest there is one sleeper, an m without a P:
//   m that goes to sleep (findrunnable)           whoever starts a timer or moves it to an earlier time
//   S1. its P is on pidle. It is the sleeper if     A1. next_when of its P (release)
//       nobody is (exchange, acq_rel). Else, if     A2. light barrier
//       that one sleeps for too long: poke it       A3. a P is idle? until is later, or no sleeper: A4
//   S2. until = the earliest of all Ps              A4. sleeper: poke its note. None: wakep; whoever
//   S3. heavy barrier                                   is woken becomes it, if it finds no work
//   S4. until = the earliest again; sleep
//   S5. until = 0, sleeper no more; an idle P,
//       and from the beginning
// A2 and S3 order A1 before A3 and S2 before S4 for both threads: either the one that starts a timer sees the
// sleeper's time, or the sleeper sees the timer. With no P idle nobody is woken in A3: the m that gives the next P
// back looks at the timers, and at the sleeper's time, in S1. Who is not the sleeper may sleep without a time: the
// sleeper has looked at all Ps, or it has left its place and looks for work, and for timers, again.
// The sleeper counts as running: while there are timers, nothing is a deadlock. test/model/timers.pml checks this.
#include <algorithm>
#include <mutex>

#include "os/os.hpp"
#include "sched/proc.hpp"

namespace weft::rt {

std::int64_t earliest_timer(const runtime_impl& rt) noexcept {
    std::int64_t least = 0;
    for (const auto& pp : rt.allp) {
        const std::int64_t when = pp->timers.next_when();
        if (when != 0 && (least == 0 || when < least)) least = when;
    }
    return least;
}

void wake_for_timer(runtime_impl& rt, std::int64_t when) {
    schedt& sched = rt.sched;
    if (rt.asymmetric) // A2
        std::atomic_signal_fence(seq_cst);
    else
        store_load_barrier();
    if (sched.npidle.load(relaxed) == 0) return;
    if (!sched.has_sleeper.load(relaxed)) {
        if (sched.nmspinning.load(relaxed) == 0) wakep(rt);
    } else if (when < sched.sleeper_until.load(relaxed)) {
        sched.sleepernote.poke();
    }
}

bool sleep_for_timers(m* mp) {
    runtime_impl& rt = *mp->rt;
    schedt& sched = rt.sched;
    const std::int64_t first = earliest_timer(rt);
    if (first == 0) return false;
    if (sched.has_sleeper.exchange(true, acq_rel)) { // S1
        if (first < sched.sleeper_until.load(relaxed)) sched.sleepernote.poke();
        return false;
    }
    p* wanting;
    {
        std::lock_guard hold(sched.lock);
        wanting = wanting_locked(mp);
        staying_locked(mp);
    }
    if (wanting != nullptr) { // as after S5
        sched.has_sleeper.store(false, release);
        acquirep(mp, wanting);
        return true;
    }
    sched.sleepernote.clear();
    sched.sleeper_until.store(earliest_timer(rt), relaxed); // S2
    if (rt.asymmetric)
        os::heavy_barrier();
    else
        store_load_barrier();
    const std::int64_t when = earliest_timer(rt); // S4
    sched.sleeper_until.store(when, relaxed);
    if (when != 0 && !sched.stopping.load(acquire)) {
        const std::int64_t left = when - os::nanotime();
        if (left > 0) sched.sleepernote.sleep_for(left);
    }
    sched.sleeper_until.store(0, relaxed); // S5
    sched.has_sleeper.store(false, release);
    p* pp;
    {
        std::lock_guard hold(sched.lock);
        if (sched.stopping.load(relaxed)) return true;
        pp = pidleget_locked(rt);
        if (pp == nullptr) leaving_locked(mp);
    }
    if (pp == nullptr) return false; // all Ps have owners, and are looked after
    acquirep(mp, pp);
    become_spinning(mp);
    return true;
}

} // namespace weft::rt
