// SPDX-License-Identifier: MIT
// A goroutine that has marked a region of its code (weft/preemptible.hpp) is preempted wherever in it it stands.
//
//   sysmon   S1. m.preempt = true. S2. the signal, to m's thread, with a value that marks it as ours.
//   handler  H1. The signal is ours, the thread has a goroutine, and m.preempt was true: it is false now. Anything else
//            is somebody else's signal, or came too late.
//            H2. The goroutine is in its own code (status), inside an open region, there is room on its stack, and
//            neither the interrupted instruction nor any frame down to the region is of another module: libc, for one,
//            which may hold a lock there. Otherwise nothing happens, and sysmon asks again.
//            H3. takes back its control words, for the kernel has given the handler fresh ones, enters the runtime as
//            at any call of weft, and leaves for g0, which puts it on the global queue.
//
//            H4. continued, maybe on another thread: that one's signal mask and signal stack go into the frame, and
//            the handler returns.
// The whole state of the CPU is in the frame that the kernel has written (sigreturn(2)): every register, flags, vector
// state whatever its size, below the red zone, aligned. The frame is on the goroutine's own stack, because the handler
// is installed without SA_ONSTACK, so the goroutine takes it along; and SA_NODEFER and an empty mask leave the thread's
// mask as it was, so that H3 may leave the handler behind. A trampoline of our own that saves and restores all of it
// (Go's asyncPreempt) cannot be written for AArch64: no instruction jumps with every register restored, and Go
// reserves one for it.
//
// Everything that H1 and H2 read belongs to this thread. The region is in m, not in g: it moves with the goroutine in
// H3 and H4. While it is set the goroutine calls no weft (special::region), so it cannot leave m by another way.
//
// A stack for a report: sysmon sets wanted_stack.of = m (release) and sends the signal; the handler on m's thread takes
// it by CAS m → null (acquire), fills the request and sets done (release). sysmon takes it back by the same CAS after a
// while; where that fails, the handler is about to be done. The request is the runtime's, and m is not touched, so it
// may be made anew meanwhile.
#include "sched/preempt.hpp"

#include <array>
#include <csignal>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <ucontext.h>
#include <unwind.h>

#include "core/badstate.hpp"
#include "core/futex_mutex.hpp"
#include "os/module.hpp"
#include "os/os.hpp"
#include "os/signal_frame.hpp"
#include "sched/mutex_trap.hpp"
#include "sched/sanitizer.hpp"
#include "sched/switch.hpp"
#include "weft/go.hpp"
#include "weft/preemptible.hpp"

namespace weft::rt {

namespace {

constexpr std::size_t stack_needed = 8 * 1024;   // for H3, below the handler's own frame
constexpr std::int64_t patience_ns = 20'000'000; // with a thread that has to get a CPU first
constexpr std::uint32_t look_us = 50;

char ours; // its address marks the signals that we send

struct installed {
    int users = 0; // signals_lock
    struct sigaction before {};
};
futex_mutex<lock_rank::signals> signals_lock;
installed signals[_NSIG];

/// H2's look at the frames, and the collection for a report.
struct frames {
    std::uintptr_t region; // an address in the frame that has the region
    std::uintptr_t lo, hi; // its module's code
    bool interrupted = false;
    bool clean = false;
    std::uintptr_t* pcs = nullptr;
    std::size_t count = 0;

    _Unwind_Reason_Code look(_Unwind_Context* context) {
        int at_instruction = 0;
        std::uintptr_t pc = _Unwind_GetIPInfo(context, &at_instruction);
        if (!interrupted && at_instruction == 0) return _URC_NO_REASON; // the handler's own
        interrupted = true;
        if (pc == 0) return _URC_END_OF_STACK;
        if (at_instruction == 0) pc--; // inside the call
        if (pcs != nullptr) {
            if (count == stack_request::most) return _URC_END_OF_STACK;
            pcs[count++] = pc;
            return _URC_NO_REASON;
        }
        clean = _Unwind_GetCFA(context) > region;
        return clean || pc < lo || pc >= hi ? _URC_END_OF_STACK : _URC_NO_REASON;
    }

    void walk() {
        _Unwind_Backtrace(
            [](_Unwind_Context* context, void* self) { return static_cast<frames*>(self)->look(context); }, this);
    }
};

/// Whether the handler has room for what it does next.
bool has_room(const g* gp) noexcept {
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    return here >= gp->stk.lo + stack_needed && here < gp->stk.hi;
}

/// H2.
bool may_preempt(const g* gp, const void* frame) noexcept {
    const m* mp = gp->m;
    const detail::region* r = mp->region.load(relaxed);
    if (r == nullptr || !r->is_open() || mp->curg.seen() != gp || gp->status.load(relaxed) != gstatus::running)
        return false;
    const std::uintptr_t pc = os::interrupted_pc(frame);
    if (pc < r->code().lo.load(relaxed) || pc >= r->code().hi.load(relaxed)) return false;
    frames f{.region = reinterpret_cast<std::uintptr_t>(r),
             .lo = r->code().lo.load(relaxed),
             .hi = r->code().hi.load(relaxed)};
    f.walk();
    return f.clean && os::frames_may_move();
}

/// Go: gopreempt_m.
void gopreempt_m(g* gp) {
    m* mp = landed(gp);
    mp->curg = nullptr;
    gp->m = nullptr;
    gp->status.store(gstatus::runnable, relaxed);
    mp->rt->preemptions.fetch_add(1, relaxed);
    globrunqput(*mp->rt, gp);
    wakep(*mp->rt);
    schedule();
}

/// H3. Returns on another thread perhaps.
[[gnu::noinline]] void preempt(g* gp, const void* frame) noexcept {
    detail::region* r = gp->m->region.exchange(nullptr, relaxed);
    os::take_control_words(frame);
    enter(gp);
    mutex_trap::look(gp);
    mcall(gopreempt_m);
    getg()->m->region.store(r, relaxed);
}

/// H4. The kernel's part of a signal set is what the frame has room for.
[[gnu::noinline]] void belong_to_this_thread(ucontext_t* frame) noexcept {
    const sigset_t mask = os::signal_mask();
    std::memcpy(&frame->uc_sigmask, &mask, _NSIG / 8);
    sigaltstack(nullptr, &frame->uc_stack);
}

void handle(int number, siginfo_t* info, void* frame);

void install(int number) noexcept {
    struct sigaction action {};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER;
    sigaction(number, &action, nullptr);
}

/// What would happen without us.
void pass_on(int number, siginfo_t* info, void* frame) {
    const struct sigaction before = signals[number].before;
    if ((before.sa_flags & SA_SIGINFO) != 0) return before.sa_sigaction(number, info, frame);
    if (before.sa_handler == SIG_IGN || (before.sa_handler == SIG_DFL && os::ignored_by_default(number))) return;
    if (before.sa_handler != SIG_DFL) return before.sa_handler(number);
    sigaction(number, &before, nullptr);
    raise(number); // it is not blocked, for it has just come; the end of the process, mostly
    install(number);
}

void answer(const g* gp) noexcept {
    stack_request& wanted = gp->m->rt->wanted_stack;
    const m* mine = gp->m;
    if (wanted.of.load(relaxed) != mine || !wanted.of.compare_exchange_strong(mine, nullptr, acquire, relaxed)) return;
    frames f{.region = 0, .lo = 0, .hi = 0, .pcs = wanted.pcs.data()};
    if (has_room(gp)) f.walk();
    wanted.count = f.count;
    wanted.goid = gp->goid;
    wanted.done.store(true, release);
}

void handle(int number, siginfo_t* info, void* frame) {
    if (info->si_code != SI_QUEUE || info->si_value.sival_ptr != &ours) return pass_on(number, info, frame);
    const int error = os::get_errno();
    g* gp = getg();
    if (gp != nullptr && (gp->special & special::system) == 0 && gp->m != nullptr) {
        answer(gp);
        if (gp->m->preempt.exchange(false, relaxed)) {
            if (has_room(gp) && may_preempt(gp, frame)) {
                preempt(gp, frame);
                belong_to_this_thread(static_cast<ucontext_t*>(frame));
            } else {
                gp->m->rt->refusals.fetch_add(1, relaxed);
            }
        }
    }
    os::set_errno(error);
}

/// The first backtrace sets the unwinder up, and binds its functions, which may take memory and locks.
void prepare_unwinder() {
    std::array<std::uintptr_t, stack_request::most> pcs;
    frames f{.region = 0, .lo = 0, .hi = 0, .interrupted = true, .pcs = pcs.data()};
    f.walk();
}

} // namespace

preempt_signal::preempt_signal(const runtime_impl& rt) : number_(rt.opts.preempt_signal) {
    if (number_ == 0) return;
    const sigset_t mask = os::signal_mask();
    if (sigismember(&mask, number_) == 1)
        throw std::logic_error("weft: options::preempt_signal is SIG" + os::signal_name(number_) +
                               ", which is blocked on the thread that calls run");
    prepare_unwinder();
    const std::lock_guard hold(signals_lock);
    installed& it = signals[number_];
    if (it.users++ > 0) return;
    struct sigaction now {};
    sigaction(number_, nullptr, &now);
    if (now.sa_sigaction != handle) it.before = now; // the handler needs it from its first moment
    install(number_);
}

preempt_signal::~preempt_signal() {
    if (number_ == 0) return;
    const std::lock_guard hold(signals_lock);
    installed& it = signals[number_];
    if (--it.users == 0) sigaction(number_, &it.before, nullptr);
}

void preemptone(m* mp) noexcept {
    mp->preempt.store(true, relaxed);
    os::send_signal(mp->thread_id.load(relaxed), mp->rt->opts.preempt_signal, &ours);
}

std::vector<std::uintptr_t> stack_of_running(const m* mp, std::uint64_t goid) {
    const int number = mp->rt->opts.preempt_signal;
    if (number == 0) return {};
    stack_request& wanted = mp->rt->wanted_stack;
    wanted.done.store(false, relaxed);
    wanted.of.store(mp, release);
    if (os::send_signal(mp->thread_id.load(relaxed), number, &ours)) {
        const std::int64_t until = os::nanotime_after(patience_ns);
        while (!wanted.done.load(acquire) && os::nanotime() < until) os::sleep_microseconds(look_us);
    }
    const m* asked = mp;
    if (wanted.of.compare_exchange_strong(asked, nullptr, acq_rel, acquire)) return {};
    while (!wanted.done.load(acquire)) os::yield_thread();
    if (wanted.goid != goid) return {};
    return {wanted.pcs.begin(), wanted.pcs.begin() + static_cast<std::ptrdiff_t>(wanted.count)};
}

void refuse_region() {
    const g* gp = getg();
    if (gp != nullptr && (gp->special & special::region) != 0) detail::no_goroutine();
}

void forgo_preemption() noexcept {
    const g* gp = getg();
    if (gp != nullptr && (gp->special & special::region) != 0) gp->m->region.store(nullptr, relaxed);
}

} // namespace weft::rt

namespace weft::detail {

using namespace weft::rt;

[[gnu::noinline]] region::region(code_range& code) noexcept : code_(code) {
    g* gp = current_goroutine();
    if (gp == nullptr || gp->m->rt->opts.preempt_signal == 0) return;
    gp_ = gp;
    gp->special |= special::region;
    if (code.hi.load(std::memory_order_acquire) == 0) {
        const os::code found = sanitizer::defers_signals()
                                   ? os::code{}
                                   : os::module_code(reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)));
        code.lo.store(found.lo, std::memory_order_relaxed);
        code.hi.store(found.hi == 0 ? 1 : found.hi, std::memory_order_release); // 1: empty, but known
    }
    gp->m->region.store(this, relaxed);
}

region::~region() {
    if (gp_ == nullptr) return;
    if (getg() != gp_) fatal_raw("weft: preemptible() was left by another goroutine or thread than it was entered by");
    gp_->m->region.store(nullptr, relaxed);
    gp_->special &= ~special::region;
}

} // namespace weft::detail
