// SPDX-License-Identifier: MIT
// Which goroutine runs next. Go: schedule, findrunnable, execute.
#include <algorithm>
#include <array>
#include <mutex>

#include "core/badstate.hpp"
#include "os/os.hpp"
#include "sched/switch.hpp"

namespace weft::rt {

namespace {

/// Takes goroutines from the global queue: one to return, the rest of a fair share (at most max, 0 = no
/// bound) into pp's queue. sched.lock is held. Go: globrunqget.
g* globrunqget_locked(runtime_impl& rt, p* pp, std::int32_t max) noexcept {
    schedt& sched = rt.sched;
    const std::int32_t size = sched.runq.size();
    if (size == 0) return nullptr;
    std::int32_t n =
        std::min({size, size / rt.procs() + 1, static_cast<std::int32_t>(decltype(p::runq)::capacity / 2)});
    if (max > 0) n = std::min(n, max);
    g* first = sched.runq.pop();
    for (n--; n > 0; n--) {
        // The ring has room: the global queue is asked when it is empty, or for one only.
        pp->runq.put(sched.runq.pop(), false,
                     [&](g** batch, std::uint32_t count) { sched.runq.push_back(batch, count); });
    }
    sched.runqsize.store(sched.runq.size(), relaxed);
    return first;
}

g* globrunqget(runtime_impl& rt, p* pp, std::int32_t max) noexcept {
    if (rt.sched.runqsize.load(relaxed) == 0) return nullptr;
    std::lock_guard hold(rt.sched.lock);
    return globrunqget_locked(rt, pp, max);
}

/// The global queue's turn: its oldest runs next, and others come to the end of pp's ring. As many as were put
/// there since the last turn leave it for the global queue's end, if the ring is more than half full. Go takes
/// one only, and has its Gosched use the global queue always, for which all Ps share a lock; so, too, all
/// goroutines that yield have their turn, and not only those that fit into rings.
g* exchange_with_global(runtime_impl& rt, p* pp) noexcept {
    schedt& sched = rt.sched;
    if (sched.runqsize.load(relaxed) == 0) return nullptr;
    std::array<g*, global_queue_interval> newest;
    constexpr std::uint32_t half = decltype(p::runq)::capacity / 2;
    const std::uint32_t size = pp->runq.size();
    const std::uint32_t leave = size > half ? std::min(size - half, global_queue_interval) : 0;
    const std::uint32_t left = pp->runq.take_newest(newest.data(), leave);
    std::lock_guard hold(sched.lock);
    g* first = globrunqget_locked(rt, pp, static_cast<std::int32_t>(global_queue_interval));
    sched.runq.push_back(newest.data(), left);
    sched.runqsize.store(sched.runq.size(), relaxed);
    return first;
}

/// A searcher's second look, after it has given its P back and is no longer counted as spinning
/// (step S3 of wake.cpp). Returns an idle P to go on with, or null. Go: checkRunqsNoP.
p* recheck_without_p(m* mp) noexcept {
    runtime_impl& rt = *mp->rt;
    schedt& sched = rt.sched;
    const bool found = sched.runqsize.load(seq_cst) > 0 ||
                       std::any_of(rt.allp.begin(), rt.allp.end(), [](const auto& pp) { return !pp->runq.empty(); });
    if (!found) return nullptr;
    std::lock_guard hold(sched.lock);
    if (p* pp = wanting_locked(mp)) return pp;
    p* pp = pidleget_spinning_locked(rt);
    if (pp != nullptr) staying_locked(mp);
    return pp;
}

} // namespace

bool only_main_lives_locked(runtime_impl& rt, const p* mine) noexcept {
    // Nobody else has a P, and so nobody makes or ends a goroutine: the count is exact.
    return rt.sched.npidle.load(relaxed) == rt.procs() - 1 && mine->runq.empty() && rt.sched.runq.empty() &&
           live_goroutines(rt) == 1;
}

void globrunqput(runtime_impl& rt, g* gp) noexcept {
    std::lock_guard hold(rt.sched.lock);
    rt.sched.runq.push_back(gp);
    rt.sched.runqsize.store(rt.sched.runq.size(), relaxed);
}

void runqput(p* pp, g* gp, bool next) noexcept {
    pp->runq.put(gp, next, [pp](g** batch, std::uint32_t count) {
        schedt& sched = pp->rt->sched;
        std::lock_guard hold(sched.lock);
        sched.runq.push_back(batch, count);
        sched.runqsize.store(sched.runq.size(), relaxed);
    });
}

void run_timers(p* pp, timers& ts) {
    const std::int64_t now = os::nanotime();
    const std::int64_t when = ts.next_when();
    if (when != 0 && when <= now) ts.run_due(pp, now);
}

bool global_queue_turn(p* pp) noexcept {
    const schedt& sched = pp->rt->sched;
    if (sched.runqsize.load(relaxed) != 0) return true;
    if (const std::int64_t when = pp->timers.next_when(); when != 0 && when <= os::nanotime()) return true;
    pp->global_tick += global_queue_interval;
    return false;
}

g* findrunnable(m* mp, bool& inherit_time) {
    runtime_impl& rt = *mp->rt;
    schedt& sched = rt.sched;
    for (;;) {
        if (sched.stopping.load(acquire)) mexit(mp);
        if (sched.gcwaiting.load(acquire)) [[unlikely]] {
            gcstopm(mp);
            continue;
        }
        p* pp = mp->p;
        inherit_time = false;
        if (pp->timers.next_when() != 0) [[unlikely]]
            run_timers(pp, pp->timers);
        if (pp->schedtick == pp->global_tick) {
            pp->global_tick += global_queue_interval;
            if (g* gp = exchange_with_global(rt, pp)) return gp;
        }
        if (g* gp = pp->runq.take(inherit_time)) return gp;
        if (const std::int32_t most = pp->solo ? 0 : before_taking(mp); g* gp = globrunqget(rt, pp, most)) {
            if (!pp->solo) note_taking(mp);
            return gp;
        }

        // Spinning ms are kept to half of the busy Ps: more would only burn the CPU. Go: findrunnable.
        if (rt.procs() > 1 &&
            (mp->spinning || 2 * sched.nmspinning.load(relaxed) < rt.procs() - sched.npidle.load(relaxed))) {
            if (!mp->spinning) become_spinning(mp);
            if (g* gp = stealwork(mp)) return gp;
        }

        {
            std::lock_guard hold(sched.lock);
            if (sched.stopping.load(relaxed)) continue;
            if (g* gp = globrunqget_locked(rt, pp, 0)) return gp;
            if (!mp->spinning && sched.needspinning.load(relaxed) == 1) {
                become_spinning(mp); // somebody found work for which there was no P: this one
                continue;
            }
            if (sched.main_waits && only_main_lives_locked(rt, pp)) {
                sched.main_waits = false;
                rt.main_g->status.store(gstatus::runnable, relaxed);
                return rt.main_g;
            }
            releasep(mp);
            pidleput_locked(rt, pp);
            leaving_locked(mp);
        }
        if (mp->spinning) {
            mp->spinning = false;
            if (sched.nmspinning.fetch_sub(1, seq_cst) <= 0) fatal_raw("findrunnable: negative nmspinning");
            if (rt.asymmetric) // S2
                os::heavy_barrier();
            else
                store_load_barrier();
            if (p* again = recheck_without_p(mp)) { // S3
                acquirep(mp, again);
                become_spinning(mp);
                continue;
            }
        }
        if (sleep_for_timers(mp)) {
            if (mp->p == nullptr) mexit(mp); // the runtime stops
            continue;
        }
        stopm(mp);
    }
}

void execute(m* mp, g* gp, bool inherit_time) noexcept {
    p* pp = mp->p;
    // Never past global_tick, which the paths without g0 stop at: findrunnable serves it.
    if (!inherit_time && pp->schedtick != pp->global_tick) pp->schedtick++;
    run_next(mp, pp, gp);
    gogo(gp);
}

void schedule() {
    m* mp = getg()->m;
    if (mp->locks != 0) fatal_raw("schedule: holding locks");
    for (;;) {
        if (mp->lockedg != nullptr) {
            stoplockedm(mp);
            if (mp->p == nullptr) mexit(mp); // the runtime stops
            execute(mp, mp->lockedg, false);
        }
        bool inherit_time;
        g* gp = findrunnable(mp, inherit_time);
        if (mp->spinning) resetspinning(mp);
        if (gp->lockedm != nullptr && gp->lockedm != mp) {
            startlockedm(mp, gp);
            continue;
        }
        execute(mp, gp, inherit_time);
    }
}

} // namespace weft::rt
