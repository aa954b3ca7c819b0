// SPDX-License-Identifier: MIT
// state_: 0 nobody waits and there is no permit, 1 a permit, else the goroutine that is parked.
//   park    P1. 1 → 0 by CAS (acquire, pairs with U1): done. P2. gopark; unlockf, or before an inline crossing: CAS
//           0 → self (release, pairs with U2). Failed, so there is a permit: P3. CAS 1 → 0 (acquire, pairs with U1), do
//           not park.
//   unpark  U1. CAS 0 → 1, or 1 → 1 (release): done. U2. CAS goroutine → 0 (acq_rel): ready(goroutine).
// Only the parked goroutine's side takes 1 away, and only unpark's side takes a goroutine away. With one P all of
// it happens on one thread at a time, the one that is inside with it (entry.hpp): plain loads and stores do.
#include "weft/parker.hpp"

#include <stdexcept>

#include "sched/sanitizer.hpp"
#include "sched/switch.hpp"
#include "weft/go.hpp"

namespace weft {

namespace {

constexpr std::uintptr_t nobody = 0;
constexpr std::uintptr_t permit = 1;

bool swap(std::atomic<std::uintptr_t>& state, std::uintptr_t& from, std::uintptr_t to, bool solo) noexcept {
    if (!solo) return state.compare_exchange_strong(from, to, std::memory_order_acq_rel, std::memory_order_acquire);
    const std::uintptr_t seen = state.load(std::memory_order_relaxed);
    if (seen != from) {
        from = seen;
        return false;
    }
    state.store(to, std::memory_order_relaxed);
    return true;
}

bool commit(rt::g* self, void* state_) {
    auto& state = *static_cast<std::atomic<std::uintptr_t>*>(state_);
    std::uintptr_t seen = nobody;
    if (state.compare_exchange_strong(seen, reinterpret_cast<std::uintptr_t>(self), std::memory_order_acq_rel,
                                      std::memory_order_acquire))
        return true;
    seen = permit;
    state.compare_exchange_strong(seen, nobody, std::memory_order_acq_rel, std::memory_order_relaxed);
    return false;
}

bool commit_solo(rt::g* self, void* state) {
    static_cast<std::atomic<std::uintptr_t>*>(state)->store(reinterpret_cast<std::uintptr_t>(self),
                                                            std::memory_order_relaxed);
    return true;
}

} // namespace

detail::crossing parker::begin_park() {
    rt::g* self = rt::current_goroutine();
    if (self == nullptr) [[unlikely]]
        detail::no_goroutine();
    if (self->special == 0) {
        rt::enter(self);
        rt::p* pp = self->m->p;
        if (state_.load(std::memory_order_relaxed) == nobody) {
            if (rt::g* next = rt::take_next(self, pp)) {
                std::uintptr_t seen = nobody;
                if (swap(state_, seen, reinterpret_cast<std::uintptr_t>(self), pp->solo)) [[likely]]
                    return rt::leave_waiting(self, pp, next, &state_, rt::wait_reason::parked);
                rt::put_next(pp, next);
            }
        }
        rt::leave(self);
    }
    park_by_call();
    return {nullptr, nullptr};
}

void parker::park_by_call() {
    const rt::entry in;
    rt::g* self = in.gp;
    if (self == nullptr) detail::no_goroutine();
    const bool solo = in.pp()->solo;
    std::uintptr_t seen =
        state_.load(std::memory_order_relaxed); // a read-modify-write that is bound to fail costs as much
    if (seen != permit || !swap(state_, seen, nobody, solo)) {
        if (seen != nobody) throw std::logic_error("weft: two goroutines park on one parker");
        rt::gopark(solo ? commit_solo : commit, &state_, rt::wait_reason::parked);
    }
    if (self->racectx != nullptr) rt::sanitizer::race_acquire(this);
}

void parker::unpark() {
    const rt::entry in;
    rt::g* self = in.gp;
    if (self == nullptr) detail::no_goroutine();
    if (self->racectx != nullptr) rt::sanitizer::race_release(this);
    rt::p* pp = in.pp();
    std::uintptr_t seen = state_.load(std::memory_order_relaxed);
    for (;;) {
        if (seen == nobody) {
            if (swap(state_, seen, permit, pp->solo)) return;
        } else if (seen == permit) {
            // Also here a write: the park that takes this permit sees what came before every unpark it stands for.
            if (swap(state_, seen, permit, pp->solo)) return;
        } else if (swap(state_, seen, nobody, pp->solo)) {
            auto* gp = reinterpret_cast<rt::g*>(seen);
            if (rt::gpool::runtime_of(gp) != pp->rt)
                rt::fatal("weft: a goroutine was readied from outside its runtime");
            rt::ready_here(pp, gp);
            return;
        }
    }
}

} // namespace weft
