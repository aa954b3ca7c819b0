// SPDX-License-Identifier: MIT
// How many Ps there are: at the start, and changed while goroutines run. Go: procresize, GOMAXPROCS.
//
//   C1. With rt.world. What can fail comes first, while all goes on: the Ps that are missing are made (they are not in
//       use), the stacks that more Ps may keep are mapped.
//   C2. The world is stopped (world.cpp): every P in use is on the stopped list, but for the caller's own; nobody else
//       is inside the runtime, and nobody has a P to look into another one's.
//   C3. Ps that go out of use are emptied: goroutines to the global queue, timers to P0, free descriptors, stacks and
//       promises to where they come from. What is counted by P stays with it (live_goroutines sums over all made).
//   C4. Every P in use is told of their number: a single one has no thieves (solo).
//   C5. A caller whose P goes out of use takes P0. Under sched.lock: the number, and the stopped list anew.
//   C6. The world is started: handoffp finds an m for each P that has work or timers.
// Who reads allp without a P and a lock (sysmon; an m before it sleeps; whoever looks for the next timer) may see the
// old number: the Ps are there, and empty or full. What it overlooks while the world is stopped is seen to by C6.
#include <cstring>
#include <exception>
#include <mutex>

#include "core/tools.hpp"
#include "os/os.hpp"
#include "sched/proc.hpp"
#include "sched/retake.hpp"
#include "sched/sanitizer.hpp"

namespace weft::rt {

namespace {

void add_p(runtime_impl& rt) {
    auto pp = std::make_unique<p>();
    pp->id = rt.allp.made();
    pp->rt = &rt;
    pp->watched = sanitizer::present();
    pp->attention.store(always_by_g0(), relaxed);
    pp->runq.set_asymmetric(rt.asymmetric);
    rt.allp.add(std::move(pp));
}

std::size_t stacks_kept_by_all(std::int32_t procs) noexcept {
    return static_cast<std::size_t>(procs) * p::stacks_kept(procs);
}

/// Gives stacks back, the coldest first, until so many are left.
void keep_stacks(p* pp, std::uint32_t most) noexcept {
    if (pp->nstacks <= most) return;
    const std::uint32_t surplus = pp->nstacks - most;
    const tools::race_ignored quiet;
    pp->rt->stacks->put(pp->stacks.data(), surplus);
    std::memmove(pp->stacks.data(), pp->stacks.data() + surplus, most * sizeof(stack));
    pp->nstacks = most;
}

/// C3.
void empty_p(p* pp) noexcept {
    runtime_impl& rt = *pp->rt;
    rt.allp[0]->timers.take_all(pp->timers);
    keep_stacks(pp, 0);
    rt.stacks->unreserve(std::exchange(pp->stack_credit, 0));
    schedt& sched = rt.sched;
    const std::lock_guard hold(sched.lock);
    bool inherit;
    while (g* gp = pp->runq.take(inherit)) sched.runq.push_back(gp);
    sched.runqsize.store(sched.runq.size(), relaxed);
    while (g* gp = pp->gfree.pop()) sched.gfree.push(gp);
    sched.gfreesize.store(sched.gfree.size(), relaxed);
}

/// C4.
void tell_number(p* pp, std::int32_t procs) noexcept {
    pp->solo = procs == 1;
    pp->runq.set_solo(pp->solo);
    pp->wakes = !pp->solo && pp->rt->main_started;
    pp->most_stacks = p::stacks_kept(procs);
    keep_stacks(pp, pp->most_stacks);
    if (pp->rt->stacks->tight()) pp->credit_limit.store(1, relaxed);
}

/// C5. self: a goroutine that changes it from inside keeps a P.
void use_ps(runtime_impl& rt, std::int32_t n, g* self) noexcept {
    schedt& sched = rt.sched;
    p* own = self != nullptr ? self->m->p.seen() : nullptr;
    if (own != nullptr && own->id >= n) {
        releasep(self->m);
        own = rt.allp[0];
        acquirep(self->m, own);
    }
    const std::lock_guard hold(sched.lock);
    for (std::int32_t i = n; i < rt.procs(); i++)
        rt.allp[static_cast<std::size_t>(i)]->status.store(pstatus::dead, relaxed);
    // sysmon's memory of one that comes into use again is of another time.
    for (std::int32_t i = rt.procs(); i < n; i++) rt.allp[static_cast<std::size_t>(i)]->schedtick++;
    rt.allp.use(n);
    set_clocks(rt, os::nanotime()); // of those that come into use
    sched.stopped = nullptr;
    sched.nstopped = 0;
    for (std::int32_t i = n; i-- > 0;)
        if (p* pp = rt.allp[static_cast<std::size_t>(i)]; pp != own) put_stopped_locked(rt, pp);
}

/// Room for all timers of those that go out of use in P0's heap. Throws std::bad_alloc.
void make_room_for_timers(runtime_impl& rt, std::int32_t n) {
    std::size_t more = 0;
    for (std::int32_t i = n; i < rt.procs(); i++) more += rt.allp[static_cast<std::size_t>(i)]->timers.size();
    rt.allp[0]->timers.make_room(more);
}

/// C3 to C5.
void change_number(runtime_impl& rt, std::int32_t n, g* self) noexcept {
    for (std::int32_t i = n; i < rt.procs(); i++) empty_p(rt.allp[static_cast<std::size_t>(i)]);
    for (std::int32_t i = 0; i < n; i++) tell_number(rt.allp[static_cast<std::size_t>(i)], n);
    use_ps(rt, n, self);
}

} // namespace

void procresize(runtime_impl& rt, std::int32_t procs) {
    rt.asymmetric = os::register_heavy_barrier();
    for (std::int32_t i = 0; i < procs; i++) add_p(rt);
    rt.allp.use(procs);
    for (p* pp : rt.allp) tell_number(pp, procs);
    rt.m0->claim.store(rt.asymmetric ? claim::free : claim::symmetric, relaxed);
    rt.retake = std::make_unique<retaker>(rt);
    acquirep(rt.m0.get(), rt.allp[0]);
    std::lock_guard hold(rt.sched.lock);
    for (std::int32_t i = procs; i-- > 1;) pidleput_locked(rt, rt.allp[static_cast<std::size_t>(i)]);
}

std::unique_ptr<stack_pool> make_stack_pool(const options& opts, std::int32_t procs) {
    return std::make_unique<stack_pool>(opts.stack_size, stacks_kept_by_all(procs));
}

std::int32_t set_procs(runtime_impl& rt, std::int32_t n) {
    const std::lock_guard one_at_a_time(rt.world);
    const std::int32_t before = rt.procs();
    if (n == before) return before;
    while (rt.allp.made() < n) add_p(rt);
    rt.stacks->keep_spare(stacks_kept_by_all(n));
    g* self = current_goroutine();
    if (self != nullptr && self->m->rt != &rt) self = nullptr;
    if (self != nullptr) enter(self);
    std::exception_ptr failed;
    on_systemstack([&] {
        if (!stop_the_world(rt, os::forever, self != nullptr ? self->m->p.seen() : nullptr)) return; // the run ends
        try {
            make_room_for_timers(rt, n);
            change_number(rt, n, self);
        } catch (...) {
            failed = std::current_exception();
        }
        start_the_world(rt);
    });
    if (self != nullptr) leave(self);
    if (failed) std::rethrow_exception(failed);
    return before;
}

} // namespace weft::rt
