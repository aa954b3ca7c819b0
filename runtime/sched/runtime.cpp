// SPDX-License-Identifier: MIT
// weft::runtime: checking what was asked for, booting, and leaving nothing behind.
#include "weft/runtime.hpp"

#include <stdexcept>
#include <string>

#include "core/badstate.hpp"
#include "os/futex.hpp"
#include "os/os.hpp"
#include "sched/dump.hpp"
#include "sched/preempt.hpp"
#include "sched/proc.hpp"
#include "sched/quit_signal.hpp"
#include "sched/retake.hpp"
#include "sched/sanitizer.hpp"
#include "weft/go.hpp"

namespace weft {

namespace rt {

namespace {

/// A handle exists, and its goroutine will never end by itself.
void abandon_joinable(g* gp) {
    gp->mark = gmark::abandoned;
    gp->failed = true;
    gp->exception = std::make_exception_ptr(
        std::runtime_error("weft: the goroutine was abandoned: its runtime ended before it did (at_exit::abandon)"));
}

void tell_leaks(const runtime_impl& rt, const std::string& report) {
    try {
        if (!report.empty()) rt.opts.on_leak(report);
    } catch (...) {
        fatal_raw("weft: an exception left options::on_leak");
    }
}

/// All threads are joined: lets go of what the goroutines hold. Descriptors with a handle stay.
void teardown(runtime_impl& rt) {
    for (const auto& pp : rt.allp) pp->timers.discard_all();
    rt.gs.for_each([](g* gp) {
        sanitizer::race_join(std::exchange(gp->racectx, nullptr));
        if (gp->stk) sanitizer::stack_unused(gp->stk);
        const gstatus status = gp->status.load(relaxed);
        if (status != gstatus::dead && status != gstatus::idle && !gp->has_result) {
            abandon_task(gp);
            free_storage(gp); // no destructors
        }
        std::uintptr_t state = gp->joining.load(acquire);
        if (state == join_state::detached) return;
        if (state != join_state::finished) abandon_joinable(gp); // it, or whoever was to join it too
        gpool::keep_for_handle(gp);
        if (!gp->joining.compare_exchange_strong(state, join_state::kept, acq_rel, acquire))
            gpool::drop_handle(gp); // the handle was dropped by a thread of the host's, just now
    });
    rt.gs.disown();
    rt.stacks.reset();
}

} // namespace

runtime_impl::runtime_impl(const options& o, std::int32_t procs)
    : opts(o), first_procs(procs), m0(std::make_unique<m>()), m0_g0(std::make_unique<g>()) {
    m0->rt = this;
    m0->g0 = m0_g0.get();
    m0_g0->special = special::system;
    m0->boots = true;
}

runtime_impl::~runtime_impl() = default;

} // namespace rt

namespace {

constexpr std::size_t smallest_stack = 16 * 1024;
constexpr std::size_t smallest_stack_for_signals = 32 * 1024; // the frame, the handler, and a walk
constexpr std::size_t largest_stack = std::size_t{1} << 30;

[[noreturn]] void bad_value(const char* what, const std::string& value, const std::string& range) {
    throw std::invalid_argument("weft: " + std::string(what) + " is " + value + "; it must be " + range);
}

int checked_procs(int procs, const char* what) {
    if (procs == 0) {
        const int cpus = std::min(rt::os::cpu_count(), max_procs);
        return cpus <= 2 ? cpus : rt::os::default_procs(cpus, rt::os::cpu_quota());
    }
    if (procs < 0 || procs > max_procs)
        bad_value(what, std::to_string(procs), "1 to " + std::to_string(max_procs) + ", or 0 for one a CPU");
    return procs;
}

options checked(options opts) {
    if (opts.stack_size < smallest_stack || opts.stack_size > largest_stack)
        bad_value("options::stack_size", std::to_string(opts.stack_size),
                  std::to_string(smallest_stack) + " to " + std::to_string(largest_stack) + " bytes");
    if (opts.max_threads < 2) bad_value("options::max_threads", std::to_string(opts.max_threads), "at least 2");
    if (opts.quit_signal != 0 && !rt::os::may_be_handled(opts.quit_signal))
        bad_value("options::quit_signal", std::to_string(opts.quit_signal),
                  "a signal that can be handled, or 0 for none");
    if (opts.preempt_signal != 0 && !rt::os::may_be_handled(opts.preempt_signal))
        bad_value("options::preempt_signal", std::to_string(opts.preempt_signal),
                  "a signal that can be handled, such as SIGURG, or 0 for none");
    if (opts.preempt_signal != 0 && opts.preempt_signal == opts.quit_signal)
        bad_value("options::preempt_signal", std::to_string(opts.preempt_signal), "another one than quit_signal");
    if (opts.preempt_signal != 0 && opts.stack_size < smallest_stack_for_signals)
        bad_value("options::stack_size", std::to_string(opts.stack_size),
                  "at least " + std::to_string(smallest_stack_for_signals) + " bytes with options::preempt_signal");
    const std::size_t page = rt::page_size();
    opts.stack_size = (opts.stack_size + page - 1) / page * page;
    return opts;
}

/// Whether the calling thread runs a goroutine of that runtime, inside blocking() or on the system stack perhaps; or
/// one of another runtime that is in neither. Not on sysmon's thread, where callbacks are.
bool runs_a_goroutine(const runtime* of) noexcept {
    const rt::g* gp = rt::goroutine_here();
    if (gp == nullptr) return false;
    return gp->m->rt->host == of || rt::current_goroutine() != nullptr;
}

/// For functions of every thread's that take the gate.
std::unique_lock<std::mutex> hold_gate(std::mutex& gate) {
    rt::refuse_region();
    return std::unique_lock(gate);
}

} // namespace

runtime::runtime(const options& opts) : opts_(checked(opts)), procs_(checked_procs(opts.procs, "options::procs")) {}

runtime::~runtime() = default;

int runtime::procs() const noexcept { return procs_.load(std::memory_order_relaxed); }

int runtime::set_procs(int n) {
    n = checked_procs(n, "the number for set_procs");
    const auto hold = hold_gate(gate_);
    rt::runtime_impl* impl = present();
    const int before = impl != nullptr ? rt::set_procs(*impl, n) : procs();
    procs_.store(n, std::memory_order_relaxed);
    return before;
}

std::vector<boot_step> runtime::boot_record() const {
    return impl_ != nullptr ? impl_->boot.steps() : std::vector<boot_step>();
}

void runtime::run_main(const std::function<void()>& main, bool empty) {
    if (empty) detail::go_of_nil();
    if (weft_getg() != nullptr)
        throw std::logic_error(
            "weft: run called from a goroutine; it needs a thread of its own (inside, use weft::go)");
    if (running_.exchange(true, std::memory_order_acq_rel))
        throw std::logic_error("weft: run called on a runtime that runs already");
    struct running_guard {
        std::atomic<bool>& flag;
        ~running_guard() { flag.store(false, std::memory_order_release); }
    } guard{running_};

    static std::atomic<std::uint64_t> runs{0};
    {
        const std::lock_guard hold(gate_);
        auto fresh = std::make_unique<rt::runtime_impl>(opts_, procs());
        fresh->host = this;
        fresh->gate_lock = &gate_;
        fresh->run = runs.fetch_add(1, std::memory_order_relaxed) + 1;
        impl_ = std::move(fresh);
    }
    rt::runtime_impl& impl = *impl_;
    const rt::quit_signal quits(impl);
    const rt::preempt_signal preempts(impl);
    impl.main = &main;
    impl.boot.clear();
    weft_rt0(impl.m0.get());
    rt::join_threads(impl);
    {
        const std::lock_guard hold(gate_);
        impl.gate = rt::runtime_impl::gate_state::ended;
    }
    ended_.notify_all();
    if (opts_.on_leak) rt::tell_leaks(impl, rt::dump_stopped(impl));
    rt::teardown(impl);
    if (!impl.main_ended && !impl.main_exception)
        throw std::runtime_error("weft: the runtime was stopped before its main function returned");
    if (impl.main_exception) std::rethrow_exception(std::exchange(impl.main_exception, nullptr));
}

void after_fork_in_child() noexcept {
    weft_setg(nullptr);
    rt::forks++;
}

void runtime::refuse_goroutine() const {
    rt::refuse_region();
    if (runs_a_goroutine(this))
        throw std::logic_error("weft: runtime::call blocks its thread; from a goroutine use weft::spawn and join");
}

rt::runtime_impl* runtime::present() const noexcept {
    using state = rt::runtime_impl::gate_state;
    return impl_ != nullptr && (impl_->gate == state::open || impl_->gate == state::closed) ? impl_.get() : nullptr;
}

bool runtime::stop(std::chrono::nanoseconds patience) {
    rt::refuse_region(); // which says more than what follows
    if (runs_a_goroutine(this))
        throw std::logic_error(
            "weft: runtime::stop waits for its thread; a goroutine ends the run by returning from main");
    std::unique_lock hold(gate_);
    rt::runtime_impl* impl = present();
    if (impl == nullptr) return true;
    const std::uint64_t run = impl->run;
    const std::chrono::steady_clock::time_point until(
        std::chrono::nanoseconds(rt::os::nanotime_after(patience.count())));
    const auto ended = [&] { return present() == nullptr || impl_->run != run; };
    impl->gate = rt::runtime_impl::gate_state::closed;
    if (!ended_.wait_until(hold, until, [&] { return ended() || rt::attachments(*impl_) == 0; })) return false;
    if (!ended()) rt::stop_world_for_good(*impl);
    return ended_.wait_until(hold, until, ended);
}

std::string runtime::survivors() {
    const auto hold = hold_gate(gate_);
    rt::runtime_impl* impl = present();
    return impl != nullptr ? rt::list_survivors(*impl) : std::string();
}

std::string runtime::dump(std::chrono::nanoseconds patience) {
    const auto hold = hold_gate(gate_);
    rt::runtime_impl* impl = present();
    return impl != nullptr ? rt::dump(*impl, patience.count()) : std::string();
}

void runtime::post(std::unique_ptr<detail::task> t) {
    const auto gopc = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
    const auto hold = hold_gate(gate_); // outside: whoever has it may stop the world
    const rt::entry in;                 // on a goroutine: wakep needs it
    if (impl_ == nullptr || impl_->gate != rt::runtime_impl::gate_state::open)
        throw std::logic_error("weft: the runtime does not run: go and call are for while run() runs");
    rt::newproc_anywhere(*impl_, std::move(t), gopc);
}

void detail::reply::done() noexcept {
    rt::sanitizer::race_release(this);
    word_.store(1, std::memory_order_release);
    rt::os::futex_wake(word_, 1);
}

void detail::reply::wait() noexcept {
    while (word_.load(std::memory_order_acquire) == 0) rt::os::futex_wait(word_, 0);
    rt::sanitizer::race_acquire(this);
}

external_waker::external_waker(runtime& rt) : rt_(rt) {
    const auto hold = hold_gate(rt.gate_);
    if (rt.impl_ == nullptr || rt.impl_->gate != rt::runtime_impl::gate_state::open)
        throw std::logic_error("weft: the runtime does not run: an external_waker is for one run");
    run_ = rt.impl_->run;
    const std::lock_guard hold_sched(rt.impl_->sched.lock);
    rt.impl_->sched.external++;
}

external_waker::~external_waker() {
    rt::forgo_preemption();
    const std::lock_guard hold(rt_.gate_);
    rt::runtime_impl* impl = rt_.present();
    if (impl == nullptr || impl->run != run_) return; // that run has ended
    const std::lock_guard hold_sched(impl->sched.lock);
    impl->sched.external--;
    impl->sched.sysmonnote.poke(); // if all are asleep now, it finds out: a report must not be made with the gate held
}

} // namespace weft
