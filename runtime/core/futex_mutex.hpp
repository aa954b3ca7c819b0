// SPDX-License-Identifier: MIT
// The runtime's own lock: blocks the thread, never the goroutine. Go: lock_futex.go.
//
// States and steps:
//   0 free, 1 held, 2 held and somebody may sleep.
//   lock    1. CAS 0→1 (acquire). Failed: 2. spin a little; 3. exchange 2 (acquire); it was 0: held,
//           else sleep while the word is 2, and again from 3.
//   unlock  1. exchange 0 (release). It was 2: wake one sleeper.
// The acquire of lock pairs with the release of unlock. A thread that came through 3 leaves 2 behind
// and thus may wake somebody for nothing; it never fails to wake somebody who sleeps.
#pragma once

#include <cstdint>

#include "atomic.hpp"
#include "core/lock_rank.hpp"

namespace weft::rt {

void futex_lock_slow(atomic<std::uint32_t>& word) noexcept;
void futex_wake_one(atomic<std::uint32_t>& word) noexcept;

/// Blocks the thread until the word is this caller's. Held for short times, and never across a park,
/// unless the park's unlockf releases it.
template <lock_rank rank>
void futex_lock(atomic<std::uint32_t>& word) noexcept {
    lock_taken(rank);
    std::uint32_t expected = 0;
    if (!word.compare_exchange_strong(expected, 1, acquire, relaxed)) futex_lock_slow(word);
}

template <lock_rank rank>
void futex_unlock(atomic<std::uint32_t>& word) noexcept {
    lock_released(rank);
    if (word.exchange(0, release) == 2) futex_wake_one(word);
}

/// The lock as an object; satisfies the standard library's BasicLockable.
template <lock_rank rank>
class futex_mutex {
public:
    void lock() noexcept { futex_lock<rank>(word_); }
    void unlock() noexcept { futex_unlock<rank>(word_); }

private:
    atomic<std::uint32_t> word_{0};
};

} // namespace weft::rt
