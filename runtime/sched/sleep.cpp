// SPDX-License-Identifier: MIT
// sleep_for and weft::timer on the Ps' timers. Go: timeSleep, goFunc.
//
// A sleeper's timer lies on its stack: it is out of every heap when it fires, and nobody stops it. It is started before
// the goroutine parks; should it fire on another P meanwhile, ready waits until the goroutine is off its stack
// (park.cpp).
//
// An after_func is shared. users: who may still call or set its function, that is the weft::timer, and one for each
// goroutine that runs it or is about to, from the moment when the heap has let it go; the last lets go of the function,
// and always outside of the runtime. refs: the users together, and the heap while it is in one; the last frees it. The
// goroutine that is to run the function is made when the timer is set, so that firing cannot fail; firing takes one.
// What stopping leaves over is spare, and given back when the heap lets go of the timer: ready_made holds one if the
// timer is pending, one for each time that it has left the heap and has not fired yet, and the spare ones.
#include <memory>
#include <mutex>
#include <stdexcept>

#include "os/os.hpp"
#include "sched/preempt.hpp"
#include "sched/proc.hpp"
#include "sched/sanitizer.hpp"
#include "weft/go.hpp"
#include "weft/time.hpp"

namespace weft::detail {

struct after_func : rt::timer {
    std::atomic<int> users{1};
    std::atomic<int> refs{1};
    std::function<void()> f;
    std::uintptr_t gopc = 0;
    rt::runtime_impl* rt = nullptr;
    rt::glist ready_made; // under lock
    int spare = 0;        // under lock
};

} // namespace weft::detail

namespace weft::rt {

namespace {

using detail::after_func;

struct sleeping : timer {
    g* gp;
};

void wake_sleeper(timer* t, p* pp) { ready_on(pp, static_cast<sleeping*>(t)->gp); }

void drop_ref(after_func* a) noexcept {
    sanitizer::race_release(a);
    if (a->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    sanitizer::race_acquire(a);
    delete a;
}

g* take_ready_made(after_func* a) noexcept {
    const std::lock_guard hold(a->lock);
    return a->ready_made.pop();
}

/// Outside of the runtime: the function may be destroyed here.
void drop_user(after_func* a) noexcept {
    sanitizer::race_release(a);
    if (a->users.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    sanitizer::race_acquire(a);
    a->f = nullptr;
    drop_ref(a);
}

/// The body of the goroutine that a timer starts.
void run_after_func(g*, void* storage) {
    struct user {
        after_func* a;
        ~user() { drop_user(a); }
    } one{*static_cast<after_func**>(storage)};
    sanitizer::race_acquire(one.a);
    one.a->f();
}

void fire_after_func(timer* t, p* pp) {
    auto* a = static_cast<after_func*>(t);
    sanitizer::race_acquire(a);
    newproc(pp->m, take_ready_made(a), run_after_func);
    drop_ref(a);
}

void count_user(timer* t) { static_cast<after_func*>(t)->users.fetch_add(1, std::memory_order_relaxed); }

/// The spare goroutines go with the heap: without one there are none.
void discard_after_func(timer* t, bool pending) {
    auto* a = static_cast<after_func*>(t);
    sanitizer::race_acquire(a);
    glist unused;
    {
        const std::lock_guard hold(a->lock);
        for (a->spare += pending; a->spare > 0; a->spare--) unused.push(a->ready_made.pop());
    }
    while (g* gp = unused.pop()) dropg_anywhere(*a->rt, gp);
    drop_ref(a);
}

/// A goroutine that will run a. Inside.
g* make_ready(const entry& in, after_func* a) {
    g* gp = newg_for(in.gp->m, sizeof a, alignof(after_func*), false, a->gopc);
    *static_cast<after_func**>(gp->storage) = a;
    return gp;
}

using timer_lock = std::unique_lock<futex_mutex<lock_rank::timer>>;

/// Takes a.lock; then it is pending, or has a spare goroutine. Inside. Throws std::bad_alloc, without the lock.
timer_lock lock_with_goroutine(const entry& in, after_func* a) {
    timer_lock hold(a->lock);
    while (a->when == 0 && a->spare == 0) {
        hold.unlock();
        g* gp = make_ready(in, a);
        hold.lock();
        a->ready_made.push(gp);
        a->spare++;
    }
    return hold;
}

/// Makes a pending, for ns from now; whether it was before. Inside. Throws std::bad_alloc; then it is stopped.
bool set(const entry& in, after_func* a, std::int64_t ns) {
    const std::int64_t when = os::nanotime_after(ns);
    bool was_pending = false;
    bool earlier = true;
    timer_lock hold = lock_with_goroutine(in, a);
    sanitizer::race_release(a);
    const bool moved = timers::move(a, when, was_pending, earlier);
    a->spare -= !was_pending;
    hold.unlock();
    if (!moved) {
        a->refs.fetch_add(1, std::memory_order_relaxed);
        try {
            in.pp()->timers.start(a, when);
        } catch (...) {
            a->refs.fetch_sub(1, std::memory_order_relaxed);
            dropg(in.pp(), a->ready_made.pop()); // it is in no heap: only its owner knows it
            throw;
        }
        earlier = true;
    }
    if (earlier) wake_for_timer(*a->rt, when);
    return was_pending;
}

/// Any thread.
bool stop(after_func* a) noexcept {
    forgo_preemption();
    const std::lock_guard hold(a->lock);
    const bool stopped = timers::stop(a);
    a->spare += stopped;
    return stopped;
}

} // namespace

} // namespace weft::rt

void weft::detail::sleep_ns(std::int64_t ns) {
    using namespace weft::rt;
    const entry in;
    if (in.gp == nullptr) no_goroutine();
    if (ns <= 0) return;
    sleeping t;
    t.fire = wake_sleeper;
    t.gp = in.gp;
    const std::int64_t when = os::nanotime_after(ns);
    p* pp = in.pp();
    pp->timers.start(&t, when);
    wake_for_timer(*pp->rt, when);
    gopark(nullptr, nullptr, wait_reason::sleep);
}

namespace weft {

timer::timer(std::int64_t ns, std::function<void()> f) {
    if (f == nullptr) detail::go_of_nil();
    const rt::g* self = rt::current_goroutine();
    if (self == nullptr) detail::no_goroutine();
    auto made = std::make_unique<detail::after_func>();
    made->fire = rt::fire_after_func;
    made->popped = rt::count_user;
    made->discard = rt::discard_after_func;
    made->f = std::move(f);
    made->gopc = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
    made->rt = self->m->rt;
    const rt::entry in;
    rt::set(in, made.get(), ns);
    t_ = made.release();
}

bool timer::stop() {
    if (t_ == nullptr) throw std::logic_error("weft: Stop called on uninitialized Timer");
    return rt::stop(t_);
}

bool timer::reset_ns(std::int64_t ns) {
    if (t_ == nullptr) throw std::logic_error("weft: Reset called on uninitialized Timer");
    const rt::entry in;
    if (in.gp == nullptr) detail::no_goroutine();
    if (in.gp->m->rt != t_->rt) throw std::logic_error("weft: reset of another runtime's timer");
    return rt::set(in, t_, ns);
}

void timer::drop() noexcept {
    if (t_ == nullptr) return;
    rt::stop(t_);
    rt::drop_user(std::exchange(t_, nullptr));
}

} // namespace weft
