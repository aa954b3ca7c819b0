// SPDX-License-Identifier: MIT
// From the host's thread to the main goroutine, in Go's order and with Go's names. Go: rt0_go, schedinit,
// mcommoninit, mstart1, main. docs/startup.md tells the story; the boot record shows it.
#include <cxxabi.h>
#include <exception>
#include <mutex>

#include "core/badstate.hpp"
#include "os/os.hpp"
#include "sched/layout_note.hpp"
#include "sched/proc.hpp"
#include "sched/sanitizer.hpp"

namespace weft::rt {

namespace {

/// The thread finds out what it has to know about itself. Go: minit.
void minit(m* mp) {
    // libstdc++ and libc++abi declare the structure differently; the two words are the ABI.
    mp->eh = reinterpret_cast<eh_globals*>(abi::__cxa_get_globals());
    if (p* pp = mp->p) pp->eh = mp->eh; // m0 has had its P since procresize
    mp->procctx = sanitizer::race_current();
    sanitizer::race_release(mp);
    sanitizer::race_errno();
    os::set_signal_mask(mp->sigmask);
}

/// Parks the main goroutine until all others have finished, unless it is certain already that they have.
void wait_for_others() {
    const entry in;
    g* gp = in.gp;
    {
        runtime_impl& rt = *gp->m->rt;
        std::lock_guard hold(rt.sched.lock);
        if (only_main_lives_locked(rt, in.pp())) return;
    }
    gopark(
        [](g* self, void*) {
            schedt& sched = gpool::runtime_of(self)->sched;
            std::lock_guard hold(sched.lock);
            sched.main_waits = true; // whoever finds nothing to run counts the goroutines (findrunnable)
            return true;
        },
        nullptr, wait_reason::main_exit);
    sanitizer::race_acquire(gpool::runtime_of(gp));
}

void set_gate(runtime_impl& rt, runtime_impl::gate_state to) {
    const std::lock_guard hold(*rt.gate_lock);
    if (rt.gate < to) rt.gate = to; // stop() may have closed it
}

/// runtime::set_procs may have been called since the runtime began to boot.
void heed_set_procs(runtime_impl& rt) {
    const std::lock_guard hold(*rt.gate_lock);
    set_procs(rt, rt.host->procs());
}

/// Parks the main goroutine until no thread of the host's is attached. The gate is closed: none comes any more.
void wait_for_detached() {
    const entry in;
    if (attachments(*in.gp->m->rt) == 0) return;
    gopark(
        [](g* self, void*) {
            schedt& sched = gpool::runtime_of(self)->sched;
            std::lock_guard hold(sched.lock);
            sched.main_awaits_detach = sched.attached > 0;
            return sched.main_awaits_detach;
        },
        nullptr, wait_reason::main_exit);
    sanitizer::race_acquire(gpool::runtime_of(in.gp));
}

/// main has returned. From closing the gate on no thread of the host's can add a goroutine; those that came before are
/// waited for, too.
void end_with_others(runtime_impl& rt) {
    const std::uint64_t posted = rt.sched.posted.load(relaxed);
    if (rt.opts.at_exit == at_exit::join) wait_for_others();
    set_gate(rt, runtime_impl::gate_state::closed);
    if (rt.opts.at_exit == at_exit::join && rt.sched.posted.load(relaxed) != posted) wait_for_others();
    rt.main_ended = true; // whatever stop() does while it waits
    wait_for_detached();
    const std::lock_guard until_the_last_has_left(*rt.gate_lock); // D5 of attach.cpp
}

/// The end of the main goroutine, on g0.
void main_exit0(g* gp) {
    m* mp = landed(gp);
    mp->curg = nullptr;
    gp->status.store(gstatus::dead, relaxed);
    stop_world_for_good(*mp->rt);
    mexit(mp);
}

/// The first goroutine. Go: runtime.main.
void main_goroutine(g* gp, void*) {
    m* mp = gp->m;
    runtime_impl& rt = *mp->rt;
    rt.boot.step("main", "the main goroutine runs");
    mp->g0->racectx = nullptr;
    rt.boot.step("racectx", "m0.g0.racectx = 0: race contexts are for goroutines");
    enter(gp);
    rt.main_started = true;
    for (const auto& pp : rt.allp) pp->wakes = !pp->solo;
    rt.boot.step("mainStarted", "from now on new goroutines may wake ms");
    on_systemstack([&rt] {
        rt.boot.step("systemstack", "from g1 to g0 of m0, for newm(sysmon)");
        newm(rt, sysmon, nullptr, -1);
    });
    leave(gp);
    set_gate(rt, runtime_impl::gate_state::open);
    rt.boot.step("main.main", "the program's own main function");
    try {
        heed_set_procs(rt);
        (*rt.main)();
#ifdef __GLIBCXX__
    } catch (abi::__forced_unwind&) { // pthread_exit, pthread_cancel: goexit's personality names it
        throw;
#endif
    } catch (...) {
        rt.main_exception = std::current_exception();
    }
    end_with_others(rt);
    sanitizer::race_release(&rt);
    enter(gp);
    mcall(main_exit0, true);
}

/// m0's first round of schedule(), each step recorded.
[[noreturn]] void first_schedule(m* mp) {
    boot_log& boot = mp->rt->boot;
    boot.step("schedule");
    bool inherit_time;
    g* gp = findrunnable(mp, inherit_time);
    boot.step("execute", "g1: its stack is taken now, at its first run");
    boot.step("gogo", "to g1");
    execute(mp, gp, inherit_time);
}

} // namespace

void mcommoninit(m* mp, std::int64_t id) {
    runtime_impl& rt = *mp->rt;
    std::int64_t count;
    {
        std::lock_guard hold(rt.sched.lock);
        mp->id = id >= 0 ? id : rt.sched.mnext++;
        // Nobody can have claimed it: it was lost. An attached thread has no P.
        mp->claim.store((rt.asymmetric ? claim::free : claim::symmetric) | (mp->attached ? claim::lost : claim::free),
                        relaxed);
        mp->watched = sanitizer::present();
        mp->random = static_cast<std::uint32_t>(os::nanotime() ^ (mp->id * 0x9e3779b9)) | 1;
        mp->alllink = rt.allm;
        rt.allm = mp;
        count = rt.sched.mnext - rt.sched.nmfreed;
    }
    if (count > rt.opts.max_threads) { // Go: checkmcount
        std::string text = "runtime: program exceeds ";
        text += std::to_string(rt.opts.max_threads);
        text += "-thread limit\n";
        fatal("thread exhaustion", text);
    }
}

void schedinit(m* mp) {
    runtime_impl& rt = *mp->rt;
    layout::note();
    rt.started_ns = os::nanotime();
    mp->g0->racectx = sanitizer::race_current();
    rt.boot.step("schedinit", "stacks, signal mask, then:");
    rt.stacks = make_stack_pool(rt.opts, rt.first_procs);
    rt.boot.step("mcommoninit", "m0 has id 0 and is on allm");
    mcommoninit(mp, -1);
    rt.sigmask = os::signal_mask();
    mp->sigmask = rt.sigmask;
    rt.boot.step("procresize", "the Ps are made; m0 has P0, the others are idle");
    procresize(rt, rt.first_procs);
}

} // namespace weft::rt

using namespace weft::rt;

extern "C" {

/// Go: rt0_go, after g0 is wired. Nothing may be thrown through weft_rt0, which has g to restore.
void weft_rt0_go(m* mp) {
    runtime_impl& rt = *mp->rt;
    mp->thread_id = os::thread_id();
    try {
        rt.boot.step("rt0", "the host's thread is m0, its stack m0's g0");
        if (const stack exact = os::thread_stack()) mp->g0->stk = exact; // else rt0's guess stays
        rt.boot.step("osinit", "number of CPUs; exact bounds of the OS stack");
        schedinit(mp);
        g* gp = newg(mp->p, 0);
        gp->joining.store(join_state::detached, relaxed);
        newproc(mp, gp, main_goroutine);
        rt.main_g = gp;
        rt.boot.step("newproc", "g1 = runtime.main, into P0's runnext");
    } catch (...) {
        rt.main_exception = std::current_exception();
        return;
    }
    auto* eh = reinterpret_cast<eh_globals*>(abi::__cxa_get_globals());
    mp->host_eh = std::exchange(*eh, {});
    rt.boot.step("mstart");
    weft_mstart();
    *mp->eh = mp->host_eh;
}

/// Go: mstart1, called by the asm of mstart, which has recorded g0.sched.
void weft_mstart1() {
    g* gp = weft_getg();
    m* mp = gp->m;
    if (gp != mp->g0) weft_badmstart();
    boot_log& boot = mp->rt->boot;
    const bool is_m0 = mp == mp->rt->m0.get();
    if (!is_m0) mp->thread_id = os::thread_id();
    if (mp->boots && !is_m0) {
        boot.step("mstart_stub", "callee-saved registers kept, g = m.g0");
        boot.step("mstart");
    }
    minit(mp);
    if (mp->boots) boot.step("mstart1", "g0.sched recorded; thread's id, signal mask, exception state");
    if (mp->mstartfn != nullptr) {
        if (mp->boots) boot.step("sysmon", "runs without a P until the runtime stops");
        mp->mstartfn();
        if (mp->mstartfn == sysmon) mexit(mp);
    }
    if (is_m0) first_schedule(mp);
    acquirep(mp, std::exchange(mp->nextp, nullptr));
    schedule();
}

} // extern "C"
