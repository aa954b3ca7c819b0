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
#include "sched/sanitizer.hpp"
#include "sched/switch.hpp"

namespace weft::rt {

namespace {

// Go: gfput spills at 64 until 32 are left.
constexpr std::int32_t gfree_high = 64;
constexpr std::int32_t gfree_low = 32;
// Promises of stacks move between a P and the pool in this many.
constexpr std::uint32_t credit_batch = 32;

g* gfget(p* pp) {
    schedt& sched = pp->rt->sched;
    if (pp->gfree.empty() && sched.gfreesize.load(relaxed) > 0) {
        std::lock_guard hold(sched.lock);
        while (pp->gfree.size() < gfree_low) {
            g* gp = sched.gfree.pop();
            if (gp == nullptr) break;
            pp->gfree.push(gp);
        }
        sched.gfreesize.store(sched.gfree.size(), relaxed);
    }
    return pp->gfree.pop();
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
std::uint32_t reserve_some(stack_pool& stacks) {
    if (stacks.tight()) {
        stacks.reserve(1);
        return 1;
    }
    try {
        stacks.reserve(credit_batch);
        return credit_batch;
    } catch (const std::bad_alloc&) {
        stacks.reserve(1);
        return 1;
    }
}

void take_credit(p* pp) {
    if (pp->stack_credit == 0) {
        pp->stack_credit = reserve_some(*pp->rt->stacks);
    }
    pp->stack_credit--;
}

void give_credit(p* pp) noexcept {
    if (++pp->stack_credit < 2 * credit_batch && !pp->rt->stacks->tight()) [[likely]]
        return;
    if (pp->rt->stacks->tight()) {
        pp->rt->stacks->unreserve(std::exchange(pp->stack_credit, 0));
        return;
    }
    pp->rt->stacks->unreserve(credit_batch);
    pp->stack_credit -= credit_batch;
}

void put_stack(p* pp, g* gp) noexcept {
    if (pp->watched) sanitizer::stack_unused(gp->stk);
    if (pp->nstacks == pp->most_stacks) {
        const std::uint32_t half = pp->most_stacks / 2;
        const tools::race_ignored quiet;
        pp->rt->stacks->put(pp->stacks.data(), half); // the coldest
        std::memmove(pp->stacks.data(), pp->stacks.data() + half, half * sizeof(stack));
        pp->nstacks = half;
    }
    pp->stacks[pp->nstacks++] = gp->stk;
    gp->stk = {};
}

/// Takes from a goroutine that ends what it does not leave to its joiner. Its stack goes to pp's cache, and
/// the caller may still use it until the next goroutine runs: only pp's owner takes from the cache's top.
void put_away(p* pp, g* gp) noexcept {
    gp->status.store(gstatus::dead, relaxed);
    gp->m = nullptr;
    put_stack(pp, gp);
    give_credit(pp);
    pp->live_delta.store(pp->live_delta.load(relaxed) - 1, relaxed);
    if (pp->watched) sanitizer::race_destroy(std::exchange(gp->racectx, nullptr));
}

/// Ends a goroutine: gp must not be touched afterwards.
void retire(p* pp, g* gp) noexcept {
    put_away(pp, gp);
    // No handle: nobody else knows the descriptor. (The load sees detached early only if a handle's
    // release() stored it; acquire pairs with that.)
    if (gp->joining.load(acquire) == join_state::detached) {
        gfput(pp, gp);
        return;
    }
    // From the exchange on a joiner may take the descriptor, so it must not be this thread's g any more. With
    // g = g0 on what may still be the goroutine's stack, systemstack (newm, say) stays where it is.
    weft_setg(pp->m->g0);
    const std::uintptr_t before = gp->joining.exchange(join_state::finished, acq_rel); // step E3 of handle.cpp
    if (before == join_state::detached)
        gfput(pp, gp);
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
    retire(mp->p, gp);
    // A goroutine that ends while tied to its thread may have changed the thread: it ends, too.
    if (locked) mexit(mp);
    schedule();
}

/// Ends gp and runs whoever is next without a stop on g0, if that is known: its joiner, or the head of the
/// queue. A fresh goroutine even gets this very stack. Returns where it is not known.
void exit_to_next(g* gp) noexcept {
    m* mp = gp->m;
    p* pp = mp->p;
    if (pp->attention.load(relaxed) || pp->schedtick == pp->global_tick) return;
    const std::uintptr_t joining = gp->joining.load(acquire); // pairs with join's CAS
    g* next = reinterpret_cast<g*>(joining);
    if (join_state::is_joiner(joining) && (next->special & special::locked) == 0) {
        *mp->eh = {};
        put_away(pp, gp);
        gp->joining.store(join_state::finished, release); // nobody but us wakes the joiner, or changes the word
    } else {
        next = take_next(gp, pp);
        if (next == nullptr) return;
        *mp->eh = {};
        retire(pp, gp);
    }
    run_next(mp, pp, next);
    weft_gogo(&next->sched);
}

/// Step E2 of handle.cpp, on the goroutine's own stack: its result is in place. Without a handle nobody
/// wants it.
void settle(g* gp) noexcept {
    std::uintptr_t seen = gp->joining.load(acquire);
    if (seen == join_state::pending && gp->joining.compare_exchange_strong(seen, join_state::ended, release, acquire))
        return;
    if (seen != join_state::detached) return; // the joiner waits
    if (gp->exception) panic_uncaught(gp, gp->exception);
    destroy_result(gp);
}

} // namespace

void destroy_result(g* gp) noexcept {
    if (gp->has_result && gp->run != nullptr) gp->run(gp, gp->storage);
    gp->has_result = false;
}

g* newg(p* pp, std::uintptr_t gopc) {
    take_credit(pp);
    g* gp = gfget(pp);
    if (gp == nullptr) {
        try {
            gp = pp->rt->gs.make(*pp->rt);
        } catch (...) {
            give_credit(pp);
            throw;
        }
    }
    gp->status.store(gstatus::dead, relaxed);
    gp->gopc = gopc;
    gp->has_result = false;
    gp->abandoned = false;
    gp->storage = gp->inline_storage.data();
    gp->heap_align = 0;
    gp->reason = wait_reason::none;
    return gp;
}

void newproc(m* mp, g* gp, void (*run)(g*, void*)) noexcept {
    runtime_impl& rt = *mp->rt;
    p* pp = mp->p;
    gp->run = run;
    gp->special = special::fresh;
    gp->goid = next_goid(pp);
    if (pp->watched) {
        gp->racectx = sanitizer::race_create();
        sanitizer::race_release(gp);
    }
    gp->status.store(gstatus::runnable, relaxed);
    pp->live_delta.store(pp->live_delta.load(relaxed) + 1, relaxed);
    runqput(pp, gp, true);
    if (rt.main_started) wake_after_put(pp);
}

void gfput(p* pp, g* gp) noexcept {
    gp->joining.store(join_state::detached, relaxed);
    pp->gfree.push(gp);
    if (pp->gfree.size() < gfree_high) return;
    std::lock_guard hold(pp->rt->sched.lock);
    schedt& sched = pp->rt->sched;
    while (pp->gfree.size() > gfree_low) sched.gfree.push(pp->gfree.pop());
    sched.gfreesize.store(sched.gfree.size(), relaxed);
}

void free_storage(g* gp) noexcept {
    if (gp->heap_align != 0) ::operator delete (gp->storage, std::align_val_t{gp->heap_align});
    gp->heap_align = 0;
    gp->storage = gp->inline_storage.data();
}

void make_storage(const p* pp, g* gp, std::size_t size, std::size_t align) {
    free_storage(gp);
    if (size <= sizeof(gp->inline_storage) && align <= cpu::cache_line && !pp->watched) return;
    gp->storage = ::operator new (size, std::align_val_t{align});
    gp->heap_align = static_cast<std::uint32_t>(align);
}

void dropg(p* pp, g* gp) noexcept {
    free_storage(gp);
    give_credit(pp);
    gfput(pp, gp);
}

void need_stack(p* pp, g* gp) noexcept {
    if (pp->nstacks == 0) {
        const std::size_t batch = pp->most_stacks / 2;
        pp->nstacks = static_cast<std::uint32_t>(pp->rt->stacks->take(pp->stacks.data(), batch));
    }
    gp->special &= ~special::fresh;
    gp->stk = pp->stacks[--pp->nstacks];
    gp->fake_stack = nullptr;
    gobuf& b = gp->sched;
    b.sp = gp->stk.hi;
    b.pc = reinterpret_cast<std::uintptr_t>(&weft_goexit) + cpu::pc_quantum;
    b.bp = 0;
    b.g = gp;
    b.fpcw = cpu::initial_fpcw;
    b.x87cw = cpu::initial_x87cw;
    b.flags = 0;
}

std::int64_t live_goroutines(runtime_impl& rt) noexcept {
    std::int64_t n = 0;
    for (const auto& pp : rt.allp) n += pp->live_delta.load(relaxed);
    return n;
}

} // namespace weft::rt

using namespace weft::rt;

extern "C" {

/// The first function on every goroutine's stack. Exceptions pass it and are met at weft_goexit.
void weft_goroutine_main() {
    g* gp = weft_getg();
    if (gp->m->p->watched) {
        if (sanitizer::present()) sanitizer::arrive(gp);
        sanitizer::race_acquire(gp);
    }
    gp->run(gp, gp->storage);
    if (gp->has_result || gp->exception) settle(gp);
    if (!gp->has_result) free_storage(gp);
}

/// Go: goexit1.
[[noreturn]] void weft_goexit1() {
    g* gp = weft_getg();
    if (gp->m->p->watched) {
        // Here, while the race context is the goroutine's: for its joiner, and for main's end.
        sanitizer::race_release(&gp->joining);
        sanitizer::race_release(gp->m->rt);
    }
    if ((gp->special & special::locked) == 0) exit_to_next(gp);
    mcall(goexit0, true);
    fatal_raw("runtime: a dead goroutine was continued");
}

} // extern "C"
