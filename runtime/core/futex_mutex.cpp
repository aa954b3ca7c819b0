// SPDX-License-Identifier: MIT
#include "core/futex_mutex.hpp"

#include "core/trampolines.hpp"
#include "os/futex.hpp"

namespace weft::rt {

namespace {
// Go: active_spin and active_spin_cnt of lock_futex.go.
constexpr int active_spin = 4;
constexpr std::uint32_t active_spin_pauses = 30;
} // namespace

void futex_lock_slow(atomic<std::uint32_t>& word) noexcept {
    for (int i = 0; i < active_spin; i++) {
        std::uint32_t expected = 0;
        if (word.load(relaxed) == 0 && word.compare_exchange_strong(expected, 1, acquire, relaxed)) return;
        weft_procyield(active_spin_pauses);
    }
    while (word.exchange(2, acquire) != 0) os::futex_wait(word, 2);
}

void futex_wake_one(atomic<std::uint32_t>& word) noexcept { os::futex_wake(word, 1); }

} // namespace weft::rt
