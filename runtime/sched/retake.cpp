// SPDX-License-Identifier: MIT
// Which P is taken when. Go: retake; how, and why it is safe: entry.hpp.
//
//   announced   (status syscall) As in Go: since the round before the same call, which is 20 µs at least. Not
//               while the P has an empty queue, another P is idle or an m spins, and the call is younger than 10 ms.
//   blocked     (status running, no switch since the round before) The same, if its thread is not running: it has
//               used no CPU time since the round before, and the kernel says that it sleeps. Asking costs
//               microseconds, so it is asked only where the first says so and the P is wanted. Go has nothing like it.
//   computing   (the same, and its thread runs) No switch for 10 ms, and something waits for a P: on this P's queue
//               or on the global one, or one of this P's timers is due. Go preempts then. Where nothing waits, it may
//               go on for ever. Inside preemptible() it is preempted instead (preempt.cpp), and loses its P only if
//               that has not come about after 10 ms more.
//
// A goroutine that was looked at while it was inside the runtime keeps its P until the next round.
#include "sched/retake.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "os/os.hpp"
#include "sched/preempt.hpp"
#include "sched/proc.hpp"

namespace weft::rt {

namespace {

constexpr std::int64_t force_preempt_ns = 10'000'000; // Go: forcePreemptNS
constexpr std::int64_t between_signals_ns = 1'000'000;

/// The owner's counter, which is not worth an atomic there.
std::uint32_t seen_tick(const std::uint32_t& tick) noexcept {
    return *const_cast<const volatile std::uint32_t*>(&tick);
}

} // namespace

/// Whether an m can be had to run the P, within options::max_threads: there is one for each P that no m runs, and what
/// is left belongs to the other Ps, which may be handed over without asking (blocking_long, lock_os_thread). Then
/// sysmon counts as an m that runs goroutines until done_taking(): while it has a P in its hand, nobody else may. Go:
/// incidlelocked(-1).
bool retaker::begin_taking() {
    schedt& sched = rt_.sched;
    std::lock_guard hold(sched.lock);
    const std::int64_t left = threads_left_locked(rt_);
    if (sched.nmidle == 0 && left < rt_.procs()) return false;
    const auto idle = [](const p* pp) { return pp->status.load(relaxed) == pstatus::idle; };
    if (sched.nmidle + left <= std::count_if(rt_.allp.begin(), rt_.allp.end(), idle)) return false;
    sched.nmidlelocked--;
    return true;
}

/// Go: incidlelocked(1).
void retaker::done_taking() {
    std::lock_guard hold(rt_.sched.lock);
    rt_.sched.nmidlelocked++;
    checkdead_locked(rt_);
}

void retaker::take(p* pp) {
    if (!begin_taking()) return;
    if (take_p(pp)) {
        pp->seen = {};
        handoffp(rt_, pp);
    }
    done_taking();
}

void retaker::preempt(p* pp, m* mp, std::int64_t now) {
    pp->seen.signalled = now;
    preemptone(mp);
}

retaker::verdict retaker::judge(p* pp, const m* mp, std::int64_t now) const {
    sysmontick& tick = pp->seen;
    const g* gp = mp->curg.seen();
    if (rt_.force_retake.load(relaxed)) return verdict::take;
    if (gp == nullptr) return verdict::leave;
    const gstatus status = gp->status.load(acquire);
    const std::int64_t when = pp->timers.next_when();
    const bool queued = !pp->runq.empty() || rt_.sched.runqsize.load(relaxed) > 0 || (when != 0 && when <= now);
    const bool others = rt_.sched.npidle.load(relaxed) + rt_.sched.nmspinning.load(relaxed) > 0;
    const std::uint32_t calls = pp->syscalltick.load(relaxed);
    const bool same_call = calls == tick.syscalltick;
    if (!same_call) {
        tick.syscalltick = calls;
        tick.syscall = now;
    }
    if (status == gstatus::syscall) {
        if (!same_call) return verdict::look_again;
        return queued || !others || now - tick.syscall >= force_preempt_ns ? verdict::take : verdict::leave;
    }
    if (status != gstatus::running) return verdict::leave;
    if (!queued && others && now - tick.since < force_preempt_ns) return verdict::leave;
    const std::int32_t thread = mp->thread_id.load(relaxed);
    const std::int64_t cpu_time = os::thread_cpu_time(thread);
    const std::int64_t before = std::exchange(tick.cpu_time, cpu_time);
    if (cpu_time >= 0 && cpu_time == before && os::thread_sleeps(thread)) return verdict::take;
    if (queued && now - tick.since >= force_preempt_ns) {
        // Some frame of another module may be in the way of the signal for a while, and nobody may be there to take
        // the P (begin_taking): so both go on until one succeeds.
        const bool marked = rt_.opts.preempt_signal != 0 && mp->region.load(relaxed) != nullptr;
        if (marked && now - tick.signalled >= between_signals_ns) return verdict::preempt;
        return marked && now - tick.since < 2 * force_preempt_ns ? verdict::look_again : verdict::take;
    }
    return before < 0 ? verdict::look_again : verdict::leave;
}

bool retaker::round(std::int64_t now) {
    bool soon = false;
    for (p* pp : rt_.allp) {
        m* mp = pp->m.seen();
        if (mp == nullptr) continue;
        sysmontick& tick = pp->seen;
        const std::uint32_t schedtick = seen_tick(pp->schedtick);
        if ((schedtick != tick.schedtick || mp != tick.on) && !rt_.force_retake.load(relaxed)) {
            tick = {.on = mp,
                    .schedtick = schedtick,
                    .syscalltick = pp->syscalltick.load(relaxed),
                    .since = now,
                    .syscall = now,
                    .cpu_time = -1};
            continue;
        }
        stalls_.look(pp, tick.since, now);
        const verdict v = judge(pp, mp, now);
        soon |= v != verdict::leave;
        if (v == verdict::take) take(pp);
        if (v == verdict::preempt) preempt(pp, mp, now);
    }
    return soon;
}

} // namespace weft::rt
