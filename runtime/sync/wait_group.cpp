// SPDX-License-Identifier: MIT
// Go: sync.WaitGroup.
//
// state_: counter in the upper 32 bits (as a signed number), bit 0: somebody is on waiters_.
//   wait  W1. load (acquire): counter 0: return. W2. lock; load: counter 0: unlock, return.
//         W3. bit 0 set by CAS against the very counter that was seen. W4. push self. W5. park; unlockf: unlock.
//   add   A1. fetch_add (acq_rel: everything before done() is seen by whoever sees 0 in W1 or is readied).
//         A2. the counter is 0 and bit 0 is set: lock, clear bit 0, take the list, unlock, ready all.
// With one P all of it happens on one thread at a time, the one that is inside with it (entry.hpp): plain loads and
// stores do.
// W3 and A1 are read-modify-writes of one word: either add sees the bit, or wait sees the 0. The lock keeps
// A2 from looking at the list between W3 and W4.
#include "weft/wait_group.hpp"

#include <stdexcept>

#include "core/futex_mutex.hpp"
#include "sched/proc.hpp"
#include "sched/sanitizer.hpp"
#include "weft/go.hpp"

namespace weft {

namespace {

constexpr std::uint64_t waiting_bit = 1;

std::int32_t counter(std::uint64_t state) noexcept { return static_cast<std::int32_t>(state >> 32); }

/// A1: the new state.
std::uint64_t change_state(std::atomic<std::uint64_t>& state, std::int32_t delta, bool solo) noexcept {
    const std::uint64_t change = static_cast<std::uint64_t>(static_cast<std::uint32_t>(delta)) << 32;
    if (!solo) return state.fetch_add(change, std::memory_order_acq_rel) + change;
    const std::uint64_t now = state.load(std::memory_order_relaxed) + change;
    state.store(now, std::memory_order_relaxed);
    return now;
}

} // namespace

void wait_group::add(std::int32_t delta) {
    const rt::entry in;
    const rt::g* self = in.gp;
    if (self == nullptr && delta < 0) detail::no_goroutine(); // it may have to wake somebody
    if (self == nullptr || self->racectx != nullptr) rt::sanitizer::race_release(this);
    const std::uint64_t now = change_state(state_, delta, self != nullptr && in.pp()->solo);
    if (counter(now) > 0 || now == 0) [[likely]]
        return;
    if (counter(now) < 0) throw std::logic_error("sync: negative WaitGroup counter");
    wake_all();
}

void wait_group::wake_all() {
    rt::futex_lock<rt::lock_rank::wait_group>(lock_);
    state_.fetch_and(~waiting_bit, std::memory_order_relaxed);
    auto* first = static_cast<rt::g*>(waiters_);
    waiters_ = nullptr;
    rt::futex_unlock<rt::lock_rank::wait_group>(lock_);
    while (first != nullptr) {
        rt::g* gp = first;
        first = gp->schedlink; // before ready: then it is the scheduler's
        rt::ready(gp);
    }
}

void wait_group::wait() {
    if (rt::current_goroutine() == nullptr) detail::no_goroutine();
    if (counter(state_.load(std::memory_order_acquire)) != 0) wait_slow();
    rt::sanitizer::race_acquire(this);
}

void wait_group::wait_slow() {
    const rt::entry in;
    rt::futex_lock<rt::lock_rank::wait_group>(lock_);
    std::uint64_t seen = state_.load(std::memory_order_acquire);
    do {
        if (counter(seen) == 0) {
            rt::futex_unlock<rt::lock_rank::wait_group>(lock_);
            return;
        }
    } while (
        !state_.compare_exchange_weak(seen, seen | waiting_bit, std::memory_order_acq_rel, std::memory_order_acquire));
    rt::g* self = in.gp;
    self->schedlink = static_cast<rt::g*>(waiters_);
    waiters_ = self;
    rt::gopark(
        [](rt::g*, void* self_) {
            rt::futex_unlock<rt::lock_rank::wait_group>(static_cast<wait_group*>(self_)->lock_);
            return true;
        },
        this, rt::wait_reason::wait_group);
}

} // namespace weft
