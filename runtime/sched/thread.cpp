// SPDX-License-Identifier: MIT
// Making ms and letting them go. Go: newm, allocm, newm1, newosproc, mexit, freem.
#include <cerrno>
#include <exception>
#include <memory>
#include <mutex>
#include <unistd.h>

#include "core/badstate.hpp"
#include "os/os.hpp"
#include "sched/proc.hpp"
#include "sched/sanitizer.hpp"

namespace weft::rt {

namespace {

// Go leaves the size of a thread's stack to the C library; this much address space costs nothing until
// touched, and holds what the C library puts there (all static thread-locals) and what is done on g0.
constexpr std::size_t g0_stack_size = 8 * 1024 * 1024;

// Go: _cgo_try_pthread_create retries EAGAIN 20 times, 1 … 20 ms apart.
constexpr int create_tries = 20;

void boot_step_of(const m* mp, const char* name, const char* detail = "") {
    if (mp->boots) mp->rt->boot.step(name, detail);
}

/// m0's thread, and those that have been made and have not ended.
std::int64_t threads_now(runtime_impl& rt) {
    const std::lock_guard hold(rt.sched.lock);
    std::int64_t count = 1;
    for (const m* mp = rt.allm; mp != nullptr; mp = mp->alllink) count += mp->has_thread && !mp->exited.load(relaxed);
    return count;
}

[[noreturn]] void cannot_make_thread(runtime_impl& rt, int error, const char* why = nullptr) {
    std::string text = "runtime: failed to create new OS thread (have ";
    text += std::to_string(threads_now(rt));
    text += " already; ";
    if (why == nullptr) {
        text += "errno=";
        text += std::to_string(error);
    } else {
        text += "options::make_thread: ";
        text += why;
    }
    text += ")\n";
    if (error == EAGAIN) text += "runtime: may need to increase max user processes (ulimit -u)\n";
    fatal("newosproc", text);
}

void join_thread(m* mp) noexcept {
    if (mp->host_thread.joinable())
        mp->host_thread.join();
    else
        pthread_join(mp->thread, nullptr);
}

/// Joins and frees the ms whose threads have ended. Go: allocm reaps sched.freem.
void reap_exited(runtime_impl& rt) {
    schedt& sched = rt.sched;
    for (;;) {
        m* dead = nullptr;
        {
            std::lock_guard hold(sched.lock);
            if (sched.stopping.load(relaxed)) return; // somebody may still poke them; join_threads frees what is left
            for (m** link = &rt.allm; *link != nullptr; link = &(*link)->alllink) {
                m* mp = *link;
                if (!mp->has_thread || mp->joined || !mp->exited.load(acquire)) continue;
                mp->joined = true;
                *link = mp->alllink;
                dead = mp;
                break;
            }
        }
        if (dead == nullptr) return;
        join_thread(dead);
        freem(rt, dead);
    }
}

/// An m and its g0, as new: one whose thread has ended, or fresh memory. A taker may still look at the m that it was,
/// and finds that it has no P (entry.hpp). Throws std::bad_alloc.
m* make_m(runtime_impl& rt) {
    m* mp;
    {
        std::lock_guard hold(rt.sched.lock);
        mp = rt.mfree;
        if (mp != nullptr) rt.mfree = mp->schedlink;
    }
    if (mp == nullptr) {
        auto g0 = std::make_unique<g>();
        mp = new m;
        mp->g0 = g0.release();
        return mp;
    }
    g* g0 = mp->g0;
    std::destroy_at(g0);
    std::destroy_at(mp);
    ::new (mp) m;
    mp->g0 = ::new (g0) g;
    return mp;
}

/// False: there is no memory for its stack.
bool give_stack(runtime_impl& rt, m* mp) noexcept {
    g* g0 = mp->g0;
    mp->rt = &rt;
    g0->m = mp;
    g0->special = special::system;
    g0->status.store(gstatus::running, relaxed);
    if (rt.opts.make_thread && !mp->attached) return true; // the thread's own
    g0->stk = map_stack(g0_stack_size);
    return static_cast<bool>(g0->stk);
}

/// Makes an m and its g0, before its thread exists. Go: allocm.
m* allocm(runtime_impl& rt, void (*fn)(), std::int64_t id) {
    reap_exited(rt);
    m* mp = make_m(rt);
    mp->mstartfn = fn;
    mp->boots = fn == sysmon;
    mp->sigmask = rt.sigmask;
    if (!give_stack(rt, mp)) cannot_make_thread(rt, ENOMEM);
    mcommoninit(mp, id);
    boot_step_of(mp, "allocm", "made m1 and its g0, before its thread exists");
    return mp;
}

/// The whole life of an m on a thread of the host's making.
void run_m(m* mp) noexcept {
    mp->g0->stk = os::thread_stack();
    weft_mstart_stub(mp);
    mp->g0->stk = {}; // not freem's
    setg(nullptr);
}

void make_thread_by_host(m* mp) {
    runtime_impl& rt = *mp->rt;
    std::thread made;
    try {
        const os::block_signals blocked;
        made = rt.opts.make_thread([mp] { run_m(mp); });
    } catch (const std::exception& e) {
        cannot_make_thread(rt, 0, e.what());
    } catch (...) {
        cannot_make_thread(rt, 0, "an exception");
    }
    if (!made.joinable()) cannot_make_thread(rt, 0, "it returned no thread");
    const std::lock_guard hold(rt.sched.lock);
    mp->host_thread = std::move(made);
    mp->has_thread = true;
}

/// Go: newosproc. The thread starts with all signals blocked, so that none finds it without a g.
void newosproc(m* mp) {
    runtime_impl& rt = *mp->rt;
    boot_step_of(mp, "newosproc", "thread to begin at mstart_stub(m1)");
    if (rt.opts.make_thread) {
        make_thread_by_host(mp);
        return;
    }
    pthread_t thread;
    int failed;
    {
        os::block_signals blocked;
        for (int tries = 1;; tries++) {
            failed = os::create_thread(thread, mp->g0->stk, weft_mstart_stub, mp);
            if (failed != EAGAIN || tries == create_tries) break;
            os::sleep_microseconds(static_cast<std::uint32_t>(tries) * 1000);
        }
    }
    if (failed != 0) cannot_make_thread(rt, failed);
    std::lock_guard hold(rt.sched.lock);
    mp->thread = thread;
    mp->has_thread = true;
}

/// Go: newm1.
void newm1(m* mp) {
    boot_step_of(mp, "newm1");
    newosproc(mp);
}

/// Whether the calling thread may have an affinity, a priority, a namespace of its own, which a new thread would
/// inherit: one that is tied to a goroutine, or the host's.
bool is_tainted() noexcept {
    const g* self = weft_getg();
    return self == nullptr || self->m->locked_ext > 0 || self->m->attached;
}

/// sysmon makes the thread. Go: newm's hand-off to the template thread.
void leave_to_sysmon(runtime_impl& rt, m* mp) noexcept {
    sanitizer::race_release(mp);
    const std::lock_guard hold(rt.sched.lock);
    mp->schedlink = rt.sched.newm_handoff.load(relaxed);
    rt.sched.newm_handoff.store(mp, relaxed); // under lock, as sysmon's look before it sleeps
    rt.sched.sysmonnote.poke();
}

} // namespace

m* allocm_for_host(runtime_impl& rt) {
    reap_exited(rt);
    m* mp = make_m(rt);
    mp->attached = true;
    if (give_stack(rt, mp)) return mp;
    freem(rt, mp);
    throw std::bad_alloc();
}

void freem(runtime_impl& rt, m* mp) noexcept {
    retire_claim(mp);
    if (mp->g0->stk) unmap_stack(std::exchange(mp->g0->stk, {}));
    const std::lock_guard hold(rt.sched.lock);
    mp->schedlink = std::exchange(rt.mfree, mp);
}

void newm(runtime_impl& rt, void (*fn)(), p* pp, std::int64_t id) {
    on_systemstack([&] {
        if (fn == sysmon) rt.boot.step("newm", "sysmon, an m that never gets a P");
        m* mp = allocm(rt, fn, id);
        mp->nextp = pp;
        if (is_tainted())
            leave_to_sysmon(rt, mp);
        else
            newm1(mp);
    });
}

void make_threads_left_to_sysmon(runtime_impl& rt) {
    if (rt.sched.newm_handoff.load(relaxed) == nullptr) return;
    m* next;
    {
        const std::lock_guard hold(rt.sched.lock);
        next = rt.sched.newm_handoff.exchange(nullptr, relaxed);
    }
    while (next != nullptr) {
        m* mp = std::exchange(next, next->schedlink);
        mp->schedlink = nullptr;
        sanitizer::race_acquire(mp);
        newm1(mp);
    }
}

void mexit(m* mp) {
    runtime_impl& rt = *mp->rt;
    schedt& sched = rt.sched;
    if (mp->spinning) { // only when the runtime stops
        mp->spinning = false;
        sched.nmspinning.fetch_sub(1, seq_cst);
    }
    if (mp->p != nullptr) {
        p* pp = releasep(mp);
        if (!sched.stopping.load(acquire)) handoffp(rt, pp);
    }
    {
        std::lock_guard hold(sched.lock);
        sched.nmfreed++;
        checkdead_locked(rt);
    }
    if (mp == rt.m0.get()) { // the host's thread: it cannot end, and waits for the runtime to
        while (!sched.stopping.load(acquire)) {
            mp->park.sleep();
            mp->park.clear();
        }
    }
    mp->exited.store(true, release); // pairs with reap_exited
    weft_gogo(&mp->g0->sched);
}

std::int64_t threads_left_locked(const runtime_impl& rt) noexcept {
    return rt.opts.max_threads - (rt.sched.mnext - rt.sched.nmfreed);
}

void stop_world_for_good(runtime_impl& rt) {
    schedt& sched = rt.sched;
    std::lock_guard hold(sched.lock);
    sched.stopping.store(true, seq_cst);
    for (const auto& pp : rt.allp) pp->attention.store(true, relaxed);
    // Whatever an m sleeps for, it looks at stopping when it wakes.
    for (m* mp = rt.allm; mp != nullptr; mp = mp->alllink) mp->park.poke();
    sched.sysmonnote.poke();
    sched.sleepernote.poke();
}

void join_threads(runtime_impl& rt) {
    // An m whose thread is still being made has a maker that runs: it is joined first, and then the new one.
    for (;;) {
        m* next = nullptr;
        {
            std::lock_guard hold(rt.sched.lock);
            for (m* mp = rt.allm; mp != nullptr && next == nullptr; mp = mp->alllink)
                if (mp->has_thread && !mp->joined) next = mp;
            if (next != nullptr) next->joined = true;
        }
        if (next == nullptr) break;
        join_thread(next);
    }
    sanitizer::race_acquire(&rt); // of the goroutines, which may have looked at their ms
    for (m* mp = rt.allm; mp != nullptr;) {
        m* after = mp->alllink;
        if (mp != rt.m0.get()) {
            sanitizer::race_acquire(mp); // of one that sysmon never came to
            if (mp->g0->stk) unmap_stack(mp->g0->stk);
            delete mp->g0;
            delete mp;
        }
        mp = after;
    }
    rt.allm = nullptr;
    while (m* mp = rt.mfree) {
        rt.mfree = mp->schedlink;
        delete mp->g0;
        delete mp;
    }
}

} // namespace weft::rt
