// SPDX-License-Identifier: MIT
#include "sched/note.hpp"

#include "core/badstate.hpp"
#include "os/futex.hpp"
#include "os/os.hpp"

namespace weft::rt {

void note::sleep() noexcept {
    std::uint32_t seen = 0;
    if (!word_.compare_exchange_strong(seen, 2, acquire, acquire) && seen == 1) return;
    while (word_.load(acquire) != 1) os::futex_wait(word_, 2);
}

bool note::sleep_for(std::int64_t ns) noexcept {
    std::uint32_t seen = 0;
    if (!word_.compare_exchange_strong(seen, 2, acquire, acquire) && seen == 1) return true;
    const std::int64_t deadline = os::nanotime_after(ns);
    for (std::int64_t left = ns; left > 0; left = deadline - os::nanotime()) {
        os::futex_wait_for(word_, 2, left);
        if (word_.load(acquire) == 1) return true;
    }
    // Too late, unless the waker comes first: then the CAS fails because the word is 1.
    seen = 2;
    return !word_.compare_exchange_strong(seen, 0, acquire, acquire);
}

void note::wakeup() noexcept {
    if (!poke()) fatal_raw("notewakeup - double wakeup");
}

bool note::poke() noexcept {
    // acquire: a second poker sees what the first did before (wake_parked reads stopping).
    const std::uint32_t before = word_.exchange(1, acq_rel);
    if (before == 2) os::futex_wake(word_, 1);
    return before != 1;
}

} // namespace weft::rt
