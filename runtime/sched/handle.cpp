// SPDX-License-Identifier: MIT
// The seam between the templates of weft/go.hpp and the scheduler: starting, joining, letting go.
//
// g::joining, step by step (J: who joins, E: the goroutine that ends, D: who drops the handle):
//   E1. result or exception is in place. E2. on its own stack, CAS pending → ended (release): from now on they
//       are the handle's. It was detached: E destroys or reports them. It was a joiner: nothing.
//   E3. off its stack or about to leave it, exchange finished (acq_rel). It was detached: E recycles the
//       descriptor. It was a joiner: ready(joiner). Else the handle owns the descriptor now.
//   J1. load (acquire): finished? Else park; unlockf: CAS pending or ended → J (release; pairs with E3's acquire:
//       E sees J parked). Failed: E was faster, J does not park (acquire; pairs with E3's release).
//   D1. CAS pending → detached (release; pairs with E2 and E3). D2. It is ended: E has nothing left but
//       the scheduler to pass; wait for finished. D3. finished: D destroys and recycles.
#include <stdexcept>
#include <utility>

#include "os/os.hpp"
#include "sched/proc.hpp"
#include "sched/sanitizer.hpp"
#include "weft/go.hpp"
#include "weft/runtime.hpp"
#include "weft/this_goroutine.hpp"

namespace weft::detail {

using namespace weft::rt;

namespace {

/// Gives a finished goroutine's descriptor back, whoever the caller is. A thread of the host's may come here
/// while the runtime ends: one CAS decides who comes first (teardown has the other).
void recycle(g* gp) noexcept {
    const g* self = weft_getg();
    if (self != nullptr && self->m->p != nullptr && self->m->rt == gpool::runtime_of(gp)) {
        gfput(self->m->p, gp);
        return;
    }
    std::uintptr_t seen = join_state::finished;
    if (gp->joining.compare_exchange_strong(seen, join_state::detached, acq_rel, acquire))
        return; // unused until the runtime ends
    gpool::drop_handle(gp);
}

} // namespace

void no_goroutine() {
    throw std::logic_error("weft: this may be called from a goroutine only (weft::run starts the first)");
}

void go_of_nil() { throw std::invalid_argument("go of nil func value"); }

new_goroutine newg(std::size_t size, std::size_t align, bool joinable) {
    g* self = current_goroutine();
    if (self == nullptr) no_goroutine();
    p* pp = self->m->p;
    g* gp = rt::newg(pp, reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)));
    gp->joining.store(joinable ? join_state::pending : join_state::detached, relaxed);
    try {
        make_storage(pp, gp, size, align);
    } catch (...) {
        dropg(pp, gp);
        throw;
    }
    return {gp, gp->storage};
}

void newproc(g* gp, void (*run)(g*, void*)) noexcept { rt::newproc(weft_getg()->m, gp, run); }

void drop(g* gp) noexcept { dropg(weft_getg()->m->p, gp); }

void* result_storage(g* gp, std::size_t size, std::size_t align) {
    make_storage(gp->m->p, gp, size, align);
    return gp->storage;
}

void set_result(g* gp, void (*destroy)(g*, void*)) noexcept {
    gp->has_result = true;
    gp->run = destroy;
}

void set_exception(g* gp, std::exception_ptr e) noexcept {
    gp->has_result = false;
    gp->exception = std::move(e);
}

bool finished(const g* gp) noexcept {
    const std::uintptr_t state = gp->joining.load(acquire);
    return state == join_state::finished || state == join_state::kept;
}

std::exception_ptr join(g* gp) {
    if (!finished(gp)) {
        g* self = current_goroutine();
        if (self == nullptr) no_goroutine();
        if (self == gp) throw std::logic_error("weft: a goroutine cannot join itself");
        if (self->m->rt != gpool::runtime_of(gp)) throw std::logic_error("weft: join of another runtime's goroutine");
        gopark(
            [](g* joiner, void* target) {
                auto& word = static_cast<g*>(target)->joining;
                std::uintptr_t seen = word.load(acquire);
                while (seen == join_state::pending || seen == join_state::ended)
                    if (word.compare_exchange_strong(seen, reinterpret_cast<std::uintptr_t>(joiner), acq_rel, acquire))
                        return true;
                return false;
            },
            gp, wait_reason::join);
    }
    sanitizer::race_acquire(&gp->joining);
    return std::exchange(gp->exception, nullptr);
}

void* result(g* gp) noexcept { return gp->storage; }

void release(g* gp) noexcept {
    std::uintptr_t seen = join_state::pending;
    if (gp->joining.compare_exchange_strong(seen, join_state::detached, acq_rel, acquire)) return;
    while (!finished(gp)) { // D2
        if (current_goroutine() != nullptr)
            yield();
        else
            os::yield_thread();
    }
    sanitizer::race_acquire(&gp->joining);
    if (gp->exception && !gp->abandoned) panic_uncaught(gp, gp->exception);
    gp->exception = nullptr;
    destroy_result(gp);
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
