// SPDX-License-Identifier: MIT
// note: a one-time event between one sleeper and one waker. Go: lock_futex.go, notesleep.
//
// States: 0 clear, 1 signalled, 2 clear and the sleeper is (about to be) in the kernel.
//   sleep   1. CAS 0→2 (acquire); it was 1: done. 2. futex wait while 2. 3. it is 1 (acquire): done, else 2.
//   wakeup  1. exchange 1 (release). It was 2: futex wake. It was 1: "notewakeup - double wakeup".
// What the waker did before wakeup (release) is seen by the sleeper after sleep (acquire). Reading 2
// before the system call spares the wake-up of nobody, which costs as much as a system call.
#pragma once

#include <cstdint>

#include "atomic.hpp"

namespace weft::rt {

class note {
public:
    /// Makes it clear again. Neither sleeper nor waker may be at it.
    void clear() noexcept { word_.store(0, relaxed); }
    /// Blocks the thread until wakeup() was called. g0 only.
    void sleep() noexcept;
    /// The same for at most ns nanoseconds; whether it was woken. After false the note is clear.
    bool sleep_for(std::int64_t ns) noexcept;
    /// Lets the sleeper go on, now or when it comes. Once between two clear().
    void wakeup() noexcept;
    /// Makes it clear again where wakers may come at any time; whether one has. What it did before is seen.
    bool consume() noexcept { return word_.exchange(0, acquire) == 1; }
    /// The same as wakeup(), but may come more than once; whether it was the first. For the end of the runtime,
    /// which wakes everybody whatever they sleep for.
    bool poke() noexcept;

private:
    atomic<std::uint32_t> word_{0};
};

} // namespace weft::rt
