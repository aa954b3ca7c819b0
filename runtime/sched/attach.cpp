// SPDX-License-Identifier: MIT
// Threads of the host's that become goroutines and cease to be. Go: needm, dropm.
//
// The thread's own stack is the goroutine's; its m gets a g0 on a stack of its own, from which nothing is ever
// scheduled but this goroutine, to which it is tied (lockosthread.cpp).
//   attach  A1. under the gate, which is open: m, g0 and g are made. A2. under sched.lock: the m counts as one that
//           runs, the goroutine as alive, the attachment as there. A3. m.claim = lost: as if its P had been taken, so
//           the first entry gets one (syscall.cpp).
//   detach  D1. under the gate: it enters, but waits for no P: who has the last one may want the gate. D2. if it has a
//           P, on g0: that goes to handoffp. D3. back on its own stack: g = null; once no taker looks at m any more
//           (retire_claim), nobody knows m and g but whoever goes through lists. D4. under sched.lock: both leave the
//           lists, goroutine and attachment their counts; the last one readies main if that waits. An m is woken, and
//           after that this one does not count any more. D5. the gate.
// main closes the gate, so that nobody attaches; waits until there is no attachment (D4 and its own look are under
// sched.lock); and takes the gate once more, until D5, before it ends the run.
#include "weft/attachment.hpp"

#include <cxxabi.h>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>

#include "core/badstate.hpp"
#include "os/os.hpp"
#include "sched/proc.hpp"
#include "sched/sanitizer.hpp"

namespace weft::rt {

namespace {

/// The end of D4: until here it counts as an m that runs, or a wake-up under way would look like a deadlock.
void uncount_m(schedt& sched) noexcept {
    const std::lock_guard hold(sched.lock);
    sched.nmidlelocked++;
    sched.sysmonnote.poke(); // if all are asleep now, it finds out: a report must not be made with the gate held
}

/// Where mcall and systemstack land; nothing lies above it. mstart does the same for other ms.
void make_landing(g* g0) noexcept {
    constexpr std::uintptr_t nothing_above = 64; // a multiple of 16
    g0->sched.sp = g0->stk.hi - nothing_above;
    g0->sched.g = g0;
}

void become_goroutine(runtime_impl& rt, m* mp, g* gp) noexcept {
    gp->stk = os::thread_stack();
    gp->sched = {.g = gp};
    gp->run = nullptr;
    gp->joining.store(join_state::detached, relaxed);
    gp->special = special::locked;
    gp->lockedm = mp;
    gp->m = mp;
    gp->goid = rt.goidgen.fetch_add(1, relaxed) + 1;
    mp->lockedg = gp;
    mp->curg = gp;
    mp->eh = reinterpret_cast<eh_globals*>(abi::__cxa_get_globals());
    mp->thread_id.store(os::thread_id(), relaxed);
    if (sanitizer::present()) { // the thread's own race context is the goroutine's, and g0 has a new one
        gp->racectx = sanitizer::race_current();
        mp->procctx = sanitizer::race_create();
        sanitizer::race_release(mp);
    }
    gp->status.store(gstatus::running, release);
}

/// A2. The m's id, or -1: there would not be another m for each P, and sysmon could take none from this thread.
std::int64_t count_attachment(runtime_impl& rt) noexcept {
    schedt& sched = rt.sched;
    const std::lock_guard hold(sched.lock);
    const std::int64_t left = threads_left_locked(rt) - 1;
    if (left < 0 || sched.nmidle + left < rt.procs()) return -1;
    sched.attached++;
    sched.posted.store(sched.posted.load(relaxed) + 1, relaxed);
    sched.foreign.store(sched.foreign.load(relaxed) + 1, relaxed);
    sched.deadlock_told = false;
    return sched.mnext++;
}

/// D2.
void give_up_p(g* gp) {
    m* mp = landed(gp);
    mp->curg = nullptr;
    handoffp(*mp->rt, releasep(mp));
    gogo(gp);
}

/// Whether main waits for this. Where a P is not idle, who has it counts the goroutines before it gives it up, under
/// sched.lock (findrunnable); with all idle nobody would, for a spinning m that goes to sleep looks at queues only.
bool main_waits_for_it(runtime_impl& rt) noexcept {
    const schedt& sched = rt.sched;
    if (sched.main_awaits_detach) return sched.attached == 0;
    return sched.main_waits && sched.npidle.load(relaxed) == rt.procs() && sched.runq.empty() &&
           live_goroutines(rt) == 1;
}

/// D4. True: main is on the global queue, and whoever calls it has to wake an m.
bool uncount_attachment(runtime_impl& rt, m* mp) noexcept {
    schedt& sched = rt.sched;
    const std::lock_guard hold(sched.lock);
    m** link = &rt.allm;
    while (*link != mp) link = &(*link)->alllink;
    *link = mp->alllink;
    mp->schedlink = std::exchange(rt.mfree, mp);
    sched.foreign.store(sched.foreign.load(relaxed) - 1, relaxed);
    sched.nmfreed++; // whoever is woken may have its place within max_threads
    sched.nmidlelocked--;
    sched.attached--;
    if (!main_waits_for_it(rt)) return false;
    sched.main_awaits_detach = sched.main_waits = false;
    rt.main_g->status.store(gstatus::runnable, relaxed);
    sched.runq.push_back(rt.main_g);
    sched.runqsize.store(sched.runq.size(), relaxed);
    return true;
}

} // namespace

g* attachm(runtime_impl& rt, std::uintptr_t gopc) {
    g* gp = newg_anywhere(rt, gopc);
    m* mp = nullptr;
    std::int64_t id = -1;
    try {
        mp = allocm_for_host(rt);
        id = count_attachment(rt);
        if (id < 0)
            throw std::runtime_error("weft: options::max_threads is " + std::to_string(rt.opts.max_threads) +
                                     ", and with one more thread no other would be left for each P");
    } catch (...) {
        if (mp != nullptr) freem(rt, mp);
        gfput_anywhere(rt, gp);
        throw;
    }
    make_landing(mp->g0);
    become_goroutine(rt, mp, gp);
    mcommoninit(mp, id);
    setg(gp);
    return gp;
}

void detachm(runtime_impl& rt, g* gp) noexcept {
    m* mp = gp->m;
    sanitizer::race_release(&rt);
    if (try_enter(gp) || !lost_its_p(gp)) mcall(give_up_p);
    setg(nullptr);
    mp->curg = nullptr;
    retire_claim(mp);
    sanitizer::race_destroy(std::exchange(mp->procctx, nullptr));
    unmap_stack(mp->g0->stk);
    gp->status.store(gstatus::dead, relaxed);
    gp->racectx = nullptr;
    gp->special = 0;
    gp->lockedm = nullptr;
    gp->m = nullptr;
    gp->stk = {};
    gfput_anywhere(rt, gp);
    if (uncount_attachment(rt, mp)) {
        store_load_barrier(); // W2 of wake.cpp
        wakep(rt);
    }
    uncount_m(rt.sched);
}

std::int32_t attachments(runtime_impl& rt) noexcept {
    const std::lock_guard hold(rt.sched.lock);
    return rt.sched.attached;
}

} // namespace weft::rt

namespace weft {

using gate_state = rt::runtime_impl::gate_state;

namespace {
[[noreturn]] void already_a_goroutine() {
    throw std::logic_error("weft: a thread that is a goroutine already cannot be attached");
}
} // namespace

attachment::attachment(runtime& rt) : rt_(rt), forks_(rt::forks) {
    const auto gopc = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
    if (weft_getg() != nullptr) already_a_goroutine();
    const std::lock_guard hold(rt.gate_);
    if (rt.impl_ == nullptr || rt.impl_->gate != gate_state::open)
        throw std::logic_error("weft: the runtime does not run: a thread is attached while run() runs");
    gp_ = rt::attachm(*rt.impl_, gopc);
}

attachment::~attachment() {
    if (forks_ != rt::forks) return; // of the parent's run
    auto* gp = rt::current_goroutine();
    if (gp == nullptr || gp != gp_) rt::fatal_raw("weft: an attachment must end on the thread that made it");
    const std::lock_guard hold(rt_.gate_);
    rt::detachm(*rt_.impl_, gp);
    rt_.ended_.notify_all(); // runtime::stop waits for attachments, too
}

void attach(runtime& rt) {
    enum class phase { none, attached, over };
    thread_local phase now = phase::none; // outlives held: a destructor of another thread_local may come here
    thread_local const runtime* to = nullptr;
    thread_local unsigned forks = 0;
    struct holder {
        std::optional<attachment> it;
        ~holder() { now = phase::over; }
    };
    thread_local holder held;
    if (now == phase::over) throw std::logic_error("weft: a thread that ends cannot be attached");
    if (now == phase::attached && forks == rt::forks) {
        if (to == &rt) return;
        already_a_goroutine();
    }
    held.it.emplace(rt);
    now = phase::attached;
    to = &rt;
    forks = rt::forks;
}

} // namespace weft
