// SPDX-License-Identifier: MIT
// The m without a P that watches the others. Go: sysmon.
//
// It naps 20 µs; after 50 naps in which nothing was to be done (1 ms) each nap is twice as long, up to
// 10 ms. When every P is idle it sleeps until one is taken (pidleget pokes it), so an idle program has
// no wake-ups at all (but while WEFTDEBUG asks for traces).
//
// It makes the threads for ms that are wanted by a thread which may not be cloned (Go: the template thread); whoever
// leaves one to it pokes its note, under sched.lock.
#include <algorithm>
#include <mutex>

#include "core/badstate.hpp"
#include "os/os.hpp"
#include "sched/proc.hpp"
#include "sched/retake.hpp"

namespace weft::rt {

namespace {

constexpr std::int64_t shortest_nap_us = 20;
constexpr std::int64_t longest_nap_us = 10'000;
constexpr int naps_before_backing_off = 50;

/// Sleeps while every P is idle; whether it did. Go: sysmon's "deep sleep".
bool deep_sleep(runtime_impl& rt) {
    schedt& sched = rt.sched;
    if (sched.npidle.load(relaxed) != rt.procs()) return false;
    {
        std::lock_guard hold(sched.lock);
        checkdead_locked(rt); // the last external_waker may just have gone; it may let go of the lock
        if (sched.npidle.load(relaxed) != rt.procs() || sched.stopping.load(relaxed)) return false;
        if (sched.newm_handoff.load(relaxed) != nullptr) return false;
        if (!sched.runq.empty()) return false; // somebody is about to wake an m, or found none
        sched.sysmonwait.store(true, relaxed);
    }
    sched.sysmonnote.sleep();
    std::lock_guard hold(sched.lock);
    sched.sysmonwait.store(false, relaxed);
    sched.sysmonnote.consume();
    return true;
}

/// Wakes an m for a goroutine that a searcher's last look may have missed (see "Yielding" in park.cpp) or for which
/// there was no m, or for a timer that is late.
void wake_for_overlooked(runtime_impl& rt) {
    const schedt& sched = rt.sched;
    if (sched.npidle.load(relaxed) == 0 || sched.nmspinning.load(relaxed) != 0) return;
    const std::int64_t now = os::nanotime();
    const auto waits = [now](const auto& pp) {
        const std::int64_t when = pp->timers.next_when();
        return !pp->runq.empty() || (when != 0 && when < now);
    };
    if (sched.runqsize.load(relaxed) != 0 || std::any_of(rt.allp.begin(), rt.allp.end(), waits)) wakep(rt);
}

/// Once a second the Ps' clocks go on.
void tell_time(runtime_impl& rt, std::int64_t now) {
    if (rt.allp[0]->seconds.load(relaxed) != rt.seconds_at(now)) set_clocks(rt, now);
}

/// WEFTDEBUG=schedtrace=…
void trace(runtime_impl& rt) {
    const bool detailed = rt.debug.scheddetail != 0;
    std::string text = schedtrace(rt, detailed);
    if (detailed) text += schedtrace_goroutines(rt);
    write_err(text.c_str());
}

} // namespace

void sysmon() {
    runtime_impl& rt = *weft_getg()->m->rt;
    schedt& sched = rt.sched;
    {
        std::lock_guard hold(sched.lock);
        sched.nmsys++;
        checkdead_locked(rt);
    }
    retaker& ps = *rt.retake;
    const std::int64_t trace_us = std::int64_t{rt.debug.schedtrace} * 1000;
    std::int64_t next_trace = rt.started_ns;
    std::int64_t nap_us = shortest_nap_us;
    int idle_rounds = 0;
    for (;;) {
        if (idle_rounds == 0)
            nap_us = shortest_nap_us;
        else if (idle_rounds > naps_before_backing_off)
            nap_us = std::min(nap_us * 2, longest_nap_us);
        sched.sysmonnote.sleep_for((trace_us > 0 ? std::min(nap_us, trace_us) : nap_us) * 1000);
        sched.sysmonnote.consume();
        if (trace_us == 0 && deep_sleep(rt)) {
            idle_rounds = 0;
            nap_us = shortest_nap_us;
        }
        if (sched.stopping.load(acquire)) return;
        make_threads_left_to_sysmon(rt);
        if (rt.quit_wanted.load(acquire)) quit(rt);
        if (trace_us > 0 && os::nanotime() >= next_trace) {
            next_trace = os::nanotime() + trace_us * 1000;
            trace(rt);
        }
        wake_for_overlooked(rt);
        const std::int64_t now = os::nanotime();
        tell_time(rt, now);
        idle_rounds = ps.round(now) || rt.force_retake.load(relaxed) ? 0 : idle_rounds + 1;
    }
}

} // namespace weft::rt
