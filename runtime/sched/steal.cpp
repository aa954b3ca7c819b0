// SPDX-License-Identifier: MIT
// Taking goroutines from other Ps. Go: stealWork, runqgrab.
//
// A spinning m visits every P four times in an order of chance, and in the last round takes their runnext, too.
// Here it does three things that Go's does not:
//   - It lingers: before it gives up it looks on for a while, seldom enough not to take the cache lines of those
//     queues away from their owners. A submitter that sees it spinning wakes nobody, which saves both the 20 to
//     60 µs that an idle CPU takes to wake.
//   - It learns whether taking from others pays, from their queues or from the global one. A goroutine that runs for
//     less time than its lines take to come from the other core is better left where it is. The m knows how long it
//     took over the last lot; while that is too short it naps before it steals again, each time longer, but never
//     longer than longest_nap_us, and then takes only a few, as a sample.
//   - After a sleep it does not wait for a victim to run its runnext itself: it was woken long after that
//     was put there.
// So a goroutine waits longest_nap_us at most while a P is free, and that only where goroutines were short.
#include <algorithm>

#include "os/os.hpp"
#include "sched/proc.hpp"
#include "sched/steal_order.hpp"

namespace weft::rt {

namespace {

constexpr int steal_rounds = 4; // Go: stealTries
// Go: runqgrab gives the victim 3 µs to run its runnext itself. Go sleeps, which takes the 50 µs of a timer's
// slack; the searcher has nothing else to do and looks on.
constexpr std::int64_t runnext_grace_ns = 3'000;
constexpr std::int64_t linger_ns = 20'000;
// Between looks at other Ps' queues, whose line their owners write at every switch and have to fetch back after
// each look: about half a microsecond, then longer and longer.
constexpr int first_pauses = 32;
constexpr int most_pauses = 256;
constexpr std::int64_t short_run_ns = 600;
constexpr std::int32_t sample = 4;
constexpr std::uint32_t first_nap_us = 5;
constexpr std::uint32_t longest_nap_us = 80;

/// Without a look at the queue: see first_pauses.
void give_grace(const p* victim) noexcept {
    if (victim->status.load(relaxed) != pstatus::running) return;
    const std::int64_t until = os::nanotime() + runnext_grace_ns;
    do
        for (int i = 0; i < first_pauses; i++) cpu::pause();
    while (os::nanotime() < until);
}

std::uint32_t next_random(m* mp) noexcept { // xorshift32
    std::uint32_t x = mp->random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return mp->random = x;
}

/// The m has run what it took last: did that take long enough? Sets the nap before it steals again.
void judge_last_steal(steal_memory& last, const p* pp) noexcept {
    if (last.at == 0) return;
    const std::uint32_t ran = pp->schedtick - last.tick;
    const std::int64_t took = os::nanotime() - last.at;
    last.at = 0;
    if (pp != last.on || ran == 0 || took > ran * short_run_ns)
        last.nap_us = 0;
    else
        last.nap_us = last.nap_us == 0 ? first_nap_us : std::min(2 * last.nap_us, longest_nap_us);
}

/// Every P once. with_next: also their runnext; grace: not before they had a chance to run it.
g* steal_round(m* mp, bool with_next, bool grace) noexcept {
    using queue = decltype(p::runq);
    const std::uint32_t most = mp->last_steal.nap_us == 0 ? queue::capacity : static_cast<std::uint32_t>(sample);
    const runtime_impl& rt = *mp->rt;
    for (steal_order order(static_cast<std::uint32_t>(rt.procs()), next_random(mp)); !order.done(); order.next()) {
        p* victim = rt.allp[order.position()];
        if (victim == mp->p) continue;
        if (with_next && victim->timers.next_when() != 0) [[unlikely]] {
            run_timers(mp->p, victim->timers);
            bool inherit;
            if (g* gp = mp->p->runq.take(inherit)) return gp;
        }
        const auto before_next = [victim, grace] {
            if (grace) give_grace(victim);
        };
        if (g* gp = victim->runq.steal_into(mp->p->runq, with_next, before_next, os::heavy_barrier, most)) return gp;
    }
    return nullptr;
}

bool anything_to_take(const m* mp) noexcept {
    const runtime_impl& rt = *mp->rt;
    return rt.sched.runqsize.load(relaxed) > 0 || rt.sched.stopping.load(relaxed) ||
           std::any_of(rt.allp.begin(), rt.allp.end(), [](const auto& pp) { return !pp->runq.empty(); });
}

/// Looks on until there is something, or the time is over. False: nothing.
bool linger(const m* mp, std::int64_t until) noexcept {
    int pauses = first_pauses;
    do {
        for (int i = 0; i < pauses; i++) cpu::pause();
        if (anything_to_take(mp)) return true;
        pauses = std::min(2 * pauses, most_pauses);
    } while (os::nanotime() < until);
    return false;
}

} // namespace

std::int32_t before_taking(m* mp) noexcept {
    steal_memory& last = mp->last_steal;
    judge_last_steal(last, mp->p);
    if (last.nap_us == 0) return 0;
    runtime_impl& rt = *mp->rt;
    schedt& sched = rt.sched;
    // Somebody must be left who runs what waits. If the others are idle or nap, too, it is this m, and what is in the
    // global queue is what it put there itself.
    const bool last_awake = sched.nnapping.fetch_add(1, relaxed) + sched.npidle.load(relaxed) + 1 >= rt.procs();
    if (!last_awake && !last.woken && anything_to_take(mp)) os::sleep_microseconds(last.nap_us);
    sched.nnapping.fetch_sub(1, relaxed);
    return last_awake ? 0 : sample;
}

void note_taking(m* mp) noexcept {
    steal_memory& last = mp->last_steal;
    last.at = os::nanotime();
    last.tick = mp->p->schedtick;
    last.on = mp->p;
}

g* stealwork(m* mp) noexcept {
    const std::int64_t until = os::nanotime() + linger_ns;
    bool grace = !std::exchange(mp->last_steal.woken, false);
    do {
        for (int round = 0; round < steal_rounds; round++) {
            g* gp = steal_round(mp, round == steal_rounds - 1, grace);
            if (gp == nullptr) continue;
            note_taking(mp);
            return gp;
        }
        grace = true;
    } while (linger(mp, until) && mp->rt->sched.runqsize.load(relaxed) == 0 && !mp->rt->sched.stopping.load(relaxed));
    return nullptr;
}

} // namespace weft::rt
