// SPDX-License-Identifier: MIT
// The seam between the templates of weft/go.hpp and the scheduler: results, joining, letting go. (Starting:
// newproc.cpp.)
//
// g::joining, step by step (J: who joins, E: the goroutine that ends, D: who drops the handle):
//   E1. result or exception is in place. E2. on its own stack, CAS pending → ended (release): from now on they
//       are the handle's. It was detached: E destroys or reports them. It was a joiner: nothing.
//   E3. off its stack or about to leave it, exchange finished (acq_rel). It was detached: E recycles the
//       descriptor. It was a joiner: ready(joiner). Else the handle owns the descriptor now.
//   J1. load (acquire): finished? Else park; unlockf: CAS pending or ended → J (release; pairs with E3's acquire:
//       E sees J parked; before an inline crossing it is made ahead of it, see park.cpp). Failed: E was faster, J does
//       not park (acquire; pairs with E3's release).
//   J1 is a plain store with one P: E does not run meanwhile, and D is J. (D may be a thread of the host's for E.)
//   D1. CAS pending → detached (release; pairs with E2 and E3). D2. It is ended: E has nothing left but
//       the scheduler to pass; wait for finished. D3. finished: D destroys and recycles.
#include <stdexcept>
#include <utility>

#include "os/os.hpp"
#include "sched/sanitizer.hpp"
#include "sched/switch.hpp"
#include "weft/go.hpp"
#include "weft/runtime.hpp"
#include "weft/this_goroutine.hpp"

namespace weft::detail {

using namespace weft::rt;

namespace {

/// Gives a finished goroutine's descriptor back, whoever the caller is. A thread of the host's may come here
/// while the runtime ends: one CAS decides who comes first (teardown has the other).
void recycle(g* gp) noexcept {
    const entry in;
    if (in.gp != nullptr && in.gp->m->rt == gpool::runtime_of(gp)) {
        gfput(in.pp(), gp);
        return;
    }
    std::uintptr_t seen = join_state::finished;
    if (gp->joining.compare_exchange_strong(seen, join_state::detached, acq_rel, acquire))
        return; // unused until the runtime ends
    gpool::drop_handle(gp);
}

} // namespace

void no_goroutine() {
    const g* gp = goroutine_here();
    if (gp != nullptr && gp != getg())
        throw std::logic_error(
            "weft: this may not be called inside weft::on_system_stack(): it is no goroutine's stack");
    if (gp != nullptr && (gp->special & special::syscall) != 0)
        throw std::logic_error("weft: this may not be called inside weft::blocking(): the goroutine has no P there");
    if (gp != nullptr && (gp->special & special::region) != 0)
        throw std::logic_error(
            "weft: this may not be called inside weft::preemptible(): the goroutine may be preempted anywhere there");
    throw std::logic_error("weft: this may be called from a goroutine only (weft::run starts the first)");
}

void go_of_nil() { throw std::invalid_argument("go of nil func value"); }

void* result_storage(g* gp, std::size_t size, std::size_t align) {
    make_storage(gp->m, gp, size, align);
    return gp->storage;
}

void set_result(g* gp, void (*destroy)(g*, void*)) noexcept {
    gp->has_result = true;
    gp->run = destroy;
}

void set_exception(g* gp, std::exception_ptr e) noexcept {
    gp->has_result = false;
    gp->failed = true;
    gp->exception = std::move(e);
}

namespace {

bool has_finished(const g* gp) noexcept {
    const std::uintptr_t state = gp->joining.load(acquire);
    return state == join_state::finished || state == join_state::kept;
}

/// J1's publication, for gopark.
bool commit_join(g* joiner, void* target) {
    auto& word = static_cast<g*>(target)->joining;
    std::uintptr_t seen = word.load(acquire);
    while (seen == join_state::pending || seen == join_state::ended)
        if (word.compare_exchange_strong(seen, reinterpret_cast<std::uintptr_t>(joiner), acq_rel, acquire)) return true;
    return false;
}

/// The rest of a join, inside; leaves, if it parks.
void join_inside(g* gp) {
    if (!has_finished(gp)) gopark(commit_join, gp, wait_reason::join);
}

} // namespace

bool finished(const g* gp) noexcept {
    if (!has_finished(gp)) return false;
    sanitizer::race_acquire(&gp->joining);
    return true;
}

crossing begin_join(g* gp) {
    g* self = getg();
    if (self != nullptr && self->special == 0 && self != gp && gpool::runtime_of(gp) == self->m->rt) {
        enter(self);
        p* pp = self->m->p;
        if (!has_finished(gp)) {
            if (g* next = take_next(self, pp)) {
                if (pp->solo)
                    gp->joining.store(reinterpret_cast<std::uintptr_t>(self), relaxed);
                else if (!commit_join(self, gp)) {
                    put_next(pp, next);
                    leave(self);
                    return {nullptr, nullptr};
                }
                return leave_waiting(self, pp, next, gp, wait_reason::join);
            }
        }
        join_inside(gp);
        leave(self);
    } else {
        join_by_call(gp);
    }
    return {nullptr, nullptr};
}

void join_by_call(g* gp) {
    if (has_finished(gp)) return;
    const entry in;
    if (in.gp == nullptr) no_goroutine();
    if (in.gp == gp) throw std::logic_error("weft: a goroutine cannot join itself");
    if (in.gp->m->rt != gpool::runtime_of(gp)) throw std::logic_error("weft: join of another runtime's goroutine");
    join_inside(gp);
}

std::exception_ptr end_join(g* gp) noexcept {
    sanitizer::race_acquire(&gp->joining);
    if (!gp->failed) [[likely]]
        return nullptr;
    gp->failed = false;
    return std::exchange(gp->exception, nullptr);
}

void release_joined(g* gp) noexcept {
    destroy_result(gp);
    if (gp->heap_align != 0) free_storage(gp);
    recycle(gp);
}

void* result(g* gp) noexcept { return gp->storage; }

void release(g* gp) noexcept {
    std::uintptr_t seen = join_state::pending;
    if (gp->joining.compare_exchange_strong(seen, join_state::detached, acq_rel, acquire)) return;
    while (!has_finished(gp)) { // D2
        if (current_goroutine() != nullptr)
            yield();
        else
            os::yield_thread();
    }
    sanitizer::race_acquire(&gp->joining);
    if (gp->failed) {
        if (gp->mark != gmark::abandoned) panic_uncaught(gp, gp->exception);
        gp->exception = nullptr;
        gp->failed = false;
    }
    release_joined(gp);
}

} // namespace weft::detail

namespace weft {

std::uint64_t this_goroutine::id() noexcept {
    const rt::g* gp = rt::getg();
    return gp != nullptr && (gp->special & rt::special::system) == 0 ? gp->goid : 0;
}

void this_goroutine::set_name(const char* name) {
    rt::g* gp = rt::current_goroutine();
    if (gp == nullptr) detail::no_goroutine();
    gp->mark = rt::gmark::none; // for a dump that looks just now
    std::atomic_signal_fence(std::memory_order_release);
    gp->name = name;
    std::atomic_signal_fence(std::memory_order_release);
    if (name != nullptr) gp->mark = rt::gmark::named;
}

void this_goroutine::share_control_words(bool share) {
    rt::g* gp = rt::current_goroutine();
    if (gp == nullptr) detail::no_goroutine();
    gp->sched.flags = share ? GOBUF_SHARE_FPCW : 0;
}

int procs() {
    const rt::g* gp = rt::current_goroutine();
    if (gp == nullptr) detail::no_goroutine();
    return gp->m->rt->procs();
}

int set_procs(int n) {
    const rt::g* gp = rt::current_goroutine();
    if (gp == nullptr) detail::no_goroutine();
    return gp->m->rt->host->set_procs(n);
}

int num_goroutine() {
    const rt::g* gp = rt::current_goroutine();
    if (gp == nullptr) detail::no_goroutine();
    return static_cast<int>(rt::live_goroutines(*gp->m->rt));
}

} // namespace weft
