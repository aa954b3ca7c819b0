// SPDX-License-Identifier: MIT
// The seam between the templates of weft/go.hpp and the scheduler: starting, joining, letting go.
//
// g::joining, step by step (J: who joins, E: the goroutine that ends, D: who drops the handle):
//   E1. result or exception is in place. E2. exchange finished (acq_rel).
//       It was detached: E recycles the descriptor. It was a joiner: ready(joiner). It was pending: the
//       handle owns the descriptor now.
//   J1. load (acquire): finished? Else park; unlockf: CAS pending → J (release; pairs with E2's acquire:
//       E sees J parked). Failed: E was faster, J does not park (acquire; pairs with E2's release).
//   D1. CAS pending → detached (release; pairs with E2). Failed: finished, and D recycles.
#include <stdexcept>
#include <utility>

#include "sched/proc.hpp"
#include "sched/sanitizer.hpp"
#include "weft/go.hpp"
#include "weft/runtime.hpp"
#include "weft/this_goroutine.hpp"

namespace weft::detail {

using namespace weft::rt;

namespace {

/// Gives a finished goroutine's descriptor back, whoever the caller is.
void recycle(g* gp) noexcept {
    runtime_impl* rt = gpool::runtime_of(gp);
    if (rt == nullptr) {
        gpool::drop_handle(gp);
        return;
    }
    g* self = weft_getg();
    if (self != nullptr && self->m->rt == rt && self->m->p != nullptr) {
        gfput(self->m->p, gp);
        return;
    }
    gp->joining.store(join_state::detached, relaxed);
    sanitizer::race_release(gp->inline_storage.data());
    rt->sched.lock.lock();
    rt->sched.gfree.push(gp);
    rt->sched.lock.unlock();
}

} // namespace

void no_goroutine() { throw std::logic_error("weft: this may be called from a goroutine only (weft::run starts the first)"); }

void go_of_nil() { throw std::invalid_argument("go of nil func value"); }

new_goroutine newg(std::size_t size, std::size_t align, bool joinable) {
    g* self = current_goroutine();
    if (self == nullptr) no_goroutine();
    p* pp = self->m->p;
    g* gp = rt::newg(pp, reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)));
    gp->joining.store(joinable ? join_state::pending : join_state::detached, relaxed);
    try {
        make_storage(gp, size, align);
    } catch (...) {
        dropg(pp, gp);
        throw;
    }
    return {gp, gp->storage};
}

void newproc(g* gp, void (*run)(g*, void*)) noexcept { rt::newproc(weft_getg()->m, gp, run); }

void drop(g* gp) noexcept { dropg(weft_getg()->m->p, gp); }

void* result_storage(g* gp, std::size_t size, std::size_t align) {
    make_storage(gp, size, align);
    gp->has_result = true;
    return gp->storage;
}

void set_exception(g* gp, std::exception_ptr e) noexcept {
    gp->has_result = false;
    gp->exception = std::move(e);
}

bool finished(const g* gp) noexcept { return gp->joining.load(acquire) == join_state::finished; }

std::exception_ptr join(g* gp) {
    if (!finished(gp)) {
        g* self = current_goroutine();
        if (self == nullptr) no_goroutine();
        if (self == gp) throw std::logic_error("weft: a goroutine cannot join itself");
        if (self->m->rt != gpool::runtime_of(gp)) throw std::logic_error("weft: join of another runtime's goroutine");
        gopark(
            [](g* joiner, void* target) {
                std::uintptr_t expected = join_state::pending;
                return static_cast<g*>(target)->joining.compare_exchange_strong(
                    expected, reinterpret_cast<std::uintptr_t>(joiner), acq_rel, acquire);
            },
            gp, wait_reason::join);
    }
    sanitizer::race_acquire(&gp->joining);
    return std::exchange(gp->exception, nullptr);
}

void* result(g* gp) noexcept { return gp->storage; }

void release(g* gp, void (*destroy_result)(void*)) noexcept {
    std::uintptr_t expected = join_state::pending;
    if (gp->joining.compare_exchange_strong(expected, join_state::detached, acq_rel, acquire)) return;
    sanitizer::race_acquire(&gp->joining);
    if (gp->exception) panic_uncaught(gp, gp->exception);
    if (gp->has_result && destroy_result != nullptr) destroy_result(gp->storage);
    gp->has_result = false;
    free_storage(gp);
    recycle(gp);
}

} // namespace weft::detail

namespace weft {

std::uint64_t this_goroutine::id() noexcept {
    const rt::g* gp = rt::current_goroutine();
    return gp != nullptr ? gp->goid : 0;
}

int procs() {
    const rt::g* gp = rt::current_goroutine();
    if (gp == nullptr) detail::no_goroutine();
    return gp->m->rt->procs;
}

int num_goroutine() {
    const rt::g* gp = rt::current_goroutine();
    if (gp == nullptr) detail::no_goroutine();
    return static_cast<int>(rt::live_goroutines(*gp->m->rt));
}

} // namespace weft
