// SPDX-License-Identifier: MIT
// Birth and death of goroutines. Go: newproc, newproc1, goexit0, gfput, gfget.
//
// A descriptor passes through: gfget or gpool (dead, no stack) → newg (its stack is promised) → newproc
// (runnable; no stack yet) → need_stack at its first execution → goexit0 (dead; its stack lies hot in the
// P's cache) → gfput, or to its handle, which gives it back later.
#include <cstring>
#include <mutex>
#include <new>

#include "core/badstate.hpp"
#include "core/tools.hpp"
#include "sched/preempt.hpp"
#include "sched/sanitizer.hpp"
#include "sched/switch.hpp"
#include "weft/go.hpp"

namespace weft::rt {

namespace {

// Go: gfput spills at 64 until 32 are left.
constexpr std::int32_t gfree_high = 64;
constexpr std::int32_t gfree_low = 32;

/// The P has no dead descriptor: some of those that others spilled, or a new one. Throws std::bad_alloc.
[[gnu::noinline]] g* gfget_slowly(p* pp) {
    runtime_impl& rt = *pp->rt;
    schedt& sched = rt.sched;
    if (sched.gfreesize.load(relaxed) > 0) {
        std::lock_guard hold(sched.lock);
        while (pp->gfree.size() < gfree_low) {
            g* gp = sched.gfree.pop();
            if (gp == nullptr) break;
            pp->gfree.push(gp);
        }
        sched.gfreesize.store(sched.gfree.size(), relaxed);
    }
    if (g* gp = pp->gfree.pop()) return gp;
    {
        const tools::race_ignored quiet;
        std::lock_guard hold(sched.lock);
        sched.runq.reserve(sched.gcount + 1);
        sched.gcount++;
    }
    try {
        return rt.gs.make(rt);
    } catch (...) {
        std::lock_guard hold(sched.lock);
        sched.gcount--;
        throw;
    }
}

g* gfget(p* pp) {
    g* gp = pp->gfree.pop();
    return gp != nullptr ? gp : gfget_slowly(pp);
}

/// Go: p.goidcache, refilled 16 at a time.
std::uint64_t next_goid(p* pp) noexcept {
    constexpr std::uint64_t batch = 16;
    if (pp->goid == pp->goid_end) {
        pp->goid = pp->rt->goidgen.fetch_add(batch, relaxed) + 1;
        pp->goid_end = pp->goid + batch;
    }
    return pp->goid++;
}

/// A batch of promises, or, where there is no room for so many, one. Throws std::bad_alloc.
std::uint32_t reserve_some(runtime_impl& rt) {
    if (!rt.stacks->tight()) {
        try {
            rt.stacks->reserve(p::credit_batch);
            return p::credit_batch;
        } catch (const std::bad_alloc&) {
            // From now on nobody keeps promises that it does not need.
            for (const auto& pp : rt.allp) pp->credit_limit.store(1, relaxed);
        }
    }
    rt.stacks->reserve(1);
    return 1;
}

void take_credit(p* pp) {
    if (pp->stack_credit == 0) [[unlikely]]
        pp->stack_credit = reserve_some(*pp->rt);
    pp->stack_credit--;
}

void give_credit(p* pp) noexcept {
    const std::uint32_t limit = pp->credit_limit.load(relaxed);
    if (++pp->stack_credit < limit) [[likely]]
        return;
    const std::uint32_t back = limit == 1 ? pp->stack_credit : p::credit_batch;
    pp->rt->stacks->unreserve(back);
    pp->stack_credit -= back;
}

void cache_stack(p* pp, const stack& stk) noexcept {
    if (pp->nstacks == pp->most_stacks) {
        const std::uint32_t half = pp->most_stacks / 2;
        const tools::race_ignored quiet;
        pp->rt->stacks->put(pp->stacks.data(), half); // the coldest
        std::memmove(pp->stacks.data(), pp->stacks.data() + half, half * sizeof(stack));
        pp->nstacks = half;
    }
    pp->stacks[pp->nstacks++] = stk;
}

void put_stack(p* pp, g* gp) noexcept {
    if (pp->watched) sanitizer::stack_unused(gp->stk);
    cache_stack(pp, std::exchange(gp->stk, {}));
}

/// Its first context, on a stack of its own.
void make_context(g* gp) noexcept {
    gobuf& b = gp->sched;
    b.sp = gp->stk.hi;
    b.pc = reinterpret_cast<std::uintptr_t>(&weft_goexit) + cpu::pc_quantum;
    b.bp = 0;
    b.g = gp;
    b.fpcw = cpu::initial_fpcw;
    b.x87cw = cpu::initial_x87cw;
    b.flags = 0;
}

/// A fresh goroutine goes on in the frames of one that has ended: weft_goroutine_main's, at the base of stk. It
/// begins with the control words of a fresh context all the same.
void adopt_stack(g* gp, const stack& stk) noexcept {
    gp->special = 0;
    gp->stk = stk;
    gp->sched = {.g = gp}; // as that of any other that runs
    gobuf now;
    cpu::read_control_words(now.fpcw, now.x87cw);
    if (!cpu::same_control_words(now.fpcw, now.x87cw, cpu::initial_fpcw, cpu::initial_x87cw)) [[unlikely]]
        cpu::write_control_words(cpu::initial_fpcw, cpu::initial_x87cw);
}

/// A P has too many dead descriptors: those that were put last stay, they are hot, and one of them may still be
/// this thread's g.
[[gnu::noinline]] void gfspill(p* pp) noexcept {
    schedt& sched = pp->rt->sched;
    glist cold = pp->gfree.cut_after(gfree_low);
    std::lock_guard hold(sched.lock);
    while (g* gp = cold.pop()) sched.gfree.push(gp);
    sched.gfreesize.store(sched.gfree.size(), relaxed);
}

[[gnu::always_inline]] inline void gfput_here(p* pp, g* gp) noexcept {
    gp->joining.store(join_state::detached, relaxed);
    pp->gfree.push(gp);
    if (pp->gfree.size() >= gfree_high) [[unlikely]]
        gfspill(pp);
}

[[gnu::always_inline]] inline g* begin_life(g* gp, std::uintptr_t gopc) noexcept {
    gp->status.store(gstatus::dead, relaxed);
    gp->gopc = gopc;
    gp->has_result = gp->failed = false;
    gp->mark = gmark::none;
    gp->storage = gp->inline_storage.data();
    gp->heap_align = 0;
    gp->reason = wait_reason::none;
    return gp;
}

[[gnu::always_inline]] inline g* newg_here(p* pp, std::uintptr_t gopc) {
    take_credit(pp);
    try {
        return begin_life(gfget(pp), gopc);
    } catch (...) {
        give_credit(pp);
        throw;
    }
}

/// With storage for so much. Throws std::bad_alloc.
[[gnu::always_inline]] inline g* newg_for_here(m* mp, std::size_t size, std::size_t align, bool joinable,
                                               std::uintptr_t gopc) {
    p* pp = mp->p;
    g* gp = newg_here(pp, gopc);
    gp->joining.store(joinable ? join_state::pending : join_state::detached, relaxed);
    if (size > sizeof(gp->inline_storage) || align > cpu::cache_line || mp->watched) [[unlikely]] {
        try {
            make_storage(mp, gp, size, align);
        } catch (...) {
            dropg(pp, gp);
            throw;
        }
    }
    return gp;
}

/// As gfget, without a P.
g* gfget_anywhere(runtime_impl& rt) {
    schedt& sched = rt.sched;
    {
        const tools::race_ignored quiet;
        std::lock_guard hold(sched.lock);
        g* gp = sched.gfree.pop();
        sched.gfreesize.store(sched.gfree.size(), relaxed);
        if (gp != nullptr) return gp;
        sched.runq.reserve(sched.gcount + 1);
        sched.gcount++;
    }
    return rt.gs.make(rt);
}

void run_task(g*, void* storage) {
    const std::unique_ptr<detail::task> t(*static_cast<detail::task**>(storage));
    t->run();
}

[[gnu::always_inline]] inline void newproc_here(p* pp, g* gp, void (*run)(g*, void*)) noexcept {
    gp->run = run;
    gp->special = special::fresh;
    gp->goid = next_goid(pp);
    if (pp->watched) {
        gp->racectx = sanitizer::race_create();
        sanitizer::race_release(gp);
    }
    gp->status.store(gstatus::runnable, relaxed);
    pp->live_delta.store(pp->live_delta.load(relaxed) + 1, relaxed);
    put_next(pp, gp);
    if (pp->wakes) wake_after_put(pp);
}

/// Takes from a goroutine that ends what it does not leave to its joiner, but for its stack.
void put_away(p* pp, g* gp) noexcept {
    gp->status.store(gstatus::dead, relaxed);
    gp->m = nullptr;
    give_credit(pp);
    pp->live_delta.store(pp->live_delta.load(relaxed) - 1, relaxed);
    if (pp->watched) sanitizer::race_destroy(std::exchange(gp->racectx, nullptr));
}

/// Lets go of a goroutine that was put away: gp must not be touched afterwards.
void retire(p* pp, g* gp) noexcept {
    // No handle: nobody else knows the descriptor. (The load sees detached early only if a handle's
    // release() stored it; acquire pairs with that.)
    if (gp->joining.load(acquire) == join_state::detached) {
        gfput_here(pp, gp);
        return;
    }
    // From the exchange on a joiner may take the descriptor, so it must not be this thread's g any more. With
    // g = g0 on what may still be the goroutine's stack, systemstack (newm, say) stays where it is.
    setg(pp->m->g0);
    const std::uintptr_t before = gp->joining.exchange(join_state::finished, acq_rel); // step E3 of handle.cpp
    if (before == join_state::detached)
        gfput_here(pp, gp);
    else if (join_state::is_joiner(before))
        ready_on(pp, reinterpret_cast<g*>(before));
}

/// Go: goexit0.
void goexit0(g* gp) {
    m* mp = landed(gp);
    const bool locked = gp->lockedm != nullptr;
    gp->lockedm = nullptr;
    mp->lockedg = nullptr;
    mp->locked_ext = 0;
    mp->curg = nullptr;
    *mp->eh = {};
    put_away(mp->p, gp);
    put_stack(mp->p, gp);
    retire(mp->p, gp);
    // A goroutine that ends while tied to its thread may have changed the thread: it ends, too.
    if (locked) mexit(mp);
    schedule();
}

/// Ends gp and runs whoever is next without a stop on g0, if that is known: its joiner, or the head of the
/// queue. Returns true where that is a fresh goroutine, which goes on from here: it has this very stack now and
/// is this thread's g. Returns false, inside, where g0 has to decide.
bool exit_to_next(g* gp) noexcept {
    enter(gp);
    m* mp = gp->m;
    p* pp = mp->p;
    if (gp->special != 0 || pp->attention.load(relaxed)) return false;
    const std::uintptr_t joining = gp->joining.load(acquire); // pairs with join's CAS
    g* next = reinterpret_cast<g*>(joining);
    const bool to_joiner = join_state::is_joiner(joining) && (next->special & special::locked) == 0;
    if (to_joiner && next->status.load(acquire) != gstatus::waiting) [[unlikely]]
        await_off_stack(next);
    if (!to_joiner) {
        next = take_next(gp, pp);
        if (next == nullptr) return false;
    }
    *mp->eh = {};
    put_away(pp, gp);
    const stack mine = std::exchange(gp->stk, {});
    const bool fresh = next->special == special::fresh;
    // Its stack goes to pp's cache, or to the next one, while this function still stands on it: only pp's owner
    // takes from the cache's top.
    if (!fresh) cache_stack(pp, mine);
    if (to_joiner)
        gp->joining.store(join_state::finished, release); // nobody but us wakes the joiner, or changes the word
    else
        retire(pp, gp);
    if (fresh) adopt_stack(next, mine);
    run_next(mp, pp, next);
    if (!fresh) weft_gogo(&next->sched);
    setg(next);
    leave(next);
    return true;
}

/// Step E2 of handle.cpp, on the goroutine's own stack: its result is in place. Without a handle nobody
/// wants it.
void settle(g* gp) noexcept {
    std::uintptr_t seen = gp->joining.load(acquire);
    if (seen == join_state::pending && gp->joining.compare_exchange_strong(seen, join_state::ended, release, acquire))
        return;
    if (seen != join_state::detached) return; // the joiner waits
    if (gp->failed) panic_uncaught(gp, gp->exception);
    destroy_result(gp);
}

} // namespace

void gfput(p* pp, g* gp) noexcept { gfput_here(pp, gp); }

g* newg(p* pp, std::uintptr_t gopc) { return newg_here(pp, gopc); }

g* newg_for(m* mp, std::size_t size, std::size_t align, bool joinable, std::uintptr_t gopc) {
    return newg_for_here(mp, size, align, joinable, gopc);
}

void newproc(m* mp, g* gp, void (*run)(g*, void*)) noexcept { newproc_here(mp->p, gp, run); }

void dropg(p* pp, g* gp) noexcept {
    free_storage(gp);
    give_credit(pp);
    gfput(pp, gp);
}

void dropg_anywhere(runtime_impl& rt, g* gp) noexcept {
    free_storage(gp);
    gp->joining.store(join_state::detached, relaxed);
    rt.stacks->unreserve(1);
    gfput_anywhere(rt, gp);
}

g* newg_anywhere(runtime_impl& rt, std::uintptr_t gopc) { return begin_life(gfget_anywhere(rt), gopc); }

void gfput_anywhere(runtime_impl& rt, g* gp) noexcept {
    forgo_preemption(); // of a goroutine that destroys a handle, say, inside preemptible()
    std::lock_guard hold(rt.sched.lock);
    rt.sched.gfree.push(gp);
    rt.sched.gfreesize.store(rt.sched.gfree.size(), relaxed);
}

void need_stack(p* pp, g* gp) noexcept {
    if (pp->nstacks == 0) {
        const std::size_t batch = pp->most_stacks / 2;
        pp->nstacks = static_cast<std::uint32_t>(pp->rt->stacks->take(pp->stacks.data(), batch));
    }
    gp->special &= ~special::fresh;
    gp->stk = pp->stacks[--pp->nstacks];
    gp->fake_stack = nullptr;
    make_context(gp);
}

void newproc_anywhere(runtime_impl& rt, std::unique_ptr<detail::task> t, std::uintptr_t gopc) {
    schedt& sched = rt.sched;
    rt.stacks->reserve(1);
    g* gp;
    try {
        gp = newg_anywhere(rt, gopc);
    } catch (...) {
        rt.stacks->unreserve(1);
        throw;
    }
    *reinterpret_cast<detail::task**>(gp->storage) = t.release();
    gp->joining.store(join_state::detached, relaxed);
    gp->run = run_task;
    gp->special = special::fresh;
    gp->goid = rt.goidgen.fetch_add(1, relaxed) + 1;
    if (sanitizer::present()) {
        gp->racectx = sanitizer::race_create();
        sanitizer::race_release(gp);
    }
    gp->status.store(gstatus::runnable, relaxed);
    {
        std::lock_guard hold(sched.lock);
        sched.foreign.store(sched.foreign.load(relaxed) + 1, relaxed);
        sched.posted.store(sched.posted.load(relaxed) + 1, relaxed);
        sched.deadlock_told = false;
        sched.runq.push_back(gp);
        sched.runqsize.store(sched.runq.size(), relaxed);
    }
    store_load_barrier(); // W2 of wake.cpp
    wakep(rt);
}

void abandon_task(g* gp) noexcept {
    if (gp->run != run_task) return;
    const std::unique_ptr<detail::task> t(*static_cast<detail::task**>(gp->storage));
    t->abandoned();
}

std::int64_t live_goroutines(runtime_impl& rt) noexcept {
    std::int64_t n = rt.sched.foreign.load(relaxed);
    for (std::int32_t i = 0; i < rt.allp.made(); i++)
        n += rt.allp[static_cast<std::size_t>(i)]->live_delta.load(relaxed);
    return n;
}

} // namespace weft::rt

namespace weft::detail {

using namespace weft::rt;

new_goroutine newg(std::size_t size, std::size_t align, bool joinable) {
    const auto gopc = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
    const entry in;
    if (in.gp == nullptr) [[unlikely]]
        no_goroutine();
    g* gp = newg_for_here(in.gp->m, size, align, joinable, gopc);
    return {gp, gp->storage};
}

g* newproc_small(small_closure closure, void (*run)(g*, void*), bool joinable) {
    const auto gopc = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
    const entry in;
    if (in.gp == nullptr) [[unlikely]]
        no_goroutine();
    g* gp = newg_for_here(in.gp->m, sizeof closure, alignof(small_closure), joinable, gopc);
    std::memcpy(gp->storage, &closure, sizeof closure);
    newproc_here(in.pp(), gp, run);
    return gp;
}

void newproc(g* gp, void (*run)(g*, void*)) noexcept {
    g* self = getg();
    enter(self);
    newproc_here(self->m->p, gp, run);
    leave(self);
}

void drop(g* gp) noexcept {
    g* self = getg();
    enter(self);
    dropg(self->m->p, gp);
    leave(self);
}

} // namespace weft::detail

using namespace weft::rt;

extern "C" {

/// The first function on every goroutine's stack, where it may run one after the other. Exceptions pass
/// it and are met at weft_goexit.
void weft_goroutine_main() {
    g* gp;
    do {
        gp = getg();
        if (gp->m->watched) [[unlikely]] {
            if (sanitizer::present()) sanitizer::arrive(gp);
            sanitizer::race_acquire(gp);
        }
        gp->run(gp, gp->storage);
        if (gp->has_result || gp->failed) settle(gp);
        if (!gp->has_result && gp->heap_align != 0) free_storage(gp);
    } while (exit_to_next(gp));
}

/// Go: goexit1.
[[noreturn]] void weft_goexit1() {
    g* gp = getg();
    if (gp->m->watched) {
        // Here, while the race context is the goroutine's: for its joiner, and for main's end.
        sanitizer::race_release(&gp->joining);
        sanitizer::race_release(gp->m->rt);
    }
    mcall(goexit0, true);
    fatal_raw("runtime: a dead goroutine was continued");
}

} // extern "C"
