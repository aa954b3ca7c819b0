// SPDX-License-Identifier: MIT
// What a goroutine may do to itself.
#pragma once

#include <cstdint>

#include <weft/detail/cross.hpp>

#pragma GCC visibility push(default)
namespace weft {

/// Lets the others run: the calling goroutine goes behind all that are runnable on its P and continues when its
/// turn comes, maybe on another thread. After every 61 switches the P's queue and the global one exchange, so those
/// that wait there have their turn, too. Go: goyield; Gosched is what it stands for.
/// Goroutines only: throws std::logic_error elsewhere.
#ifdef WEFT_CROSS_INLINE
[[gnu::always_inline]] inline void yield() {
    const detail::crossing c = detail::begin_yield();
    if (c.to != nullptr) detail::cross(c.from, c.to);
}
#else
inline void yield() { detail::yield_by_call(); }
#endif

namespace this_goroutine {

/// The calling goroutine's number: 1 is the main goroutine, and none is used twice in a runtime's
/// life. 0 on a thread that runs no goroutine. Any thread.
std::uint64_t id() noexcept;

/// What dumps call the calling goroutine, besides its number. The text is not copied: it must be there until the
/// goroutine ends or has another. Null: none. Goroutines only: throws std::logic_error elsewhere.
void set_name(const char* name);

/// Ties the calling goroutine to its thread: until as many unlock_os_thread() calls, it runs on no
/// other thread and no other goroutine runs on this one. A goroutine that ends while locked ends
/// its thread with it. Go: LockOSThread.
/// Goroutines only: throws std::logic_error elsewhere, or when nested too often.
void lock_os_thread();

/// Whether the calling goroutine shares the floating-point control words (MXCSR's control bits and the x87
/// control word; FPCR) instead of having its own, as it does until it says so. One that shares runs with
/// whatever words the goroutine before it on its thread left, and leaves its own; a switch between two that
/// share is 1 to 3 ns shorter. For goroutines that never change rounding or exception masks, among others of that
/// kind. Goroutines only: throws std::logic_error elsewhere.
void share_control_words(bool share = true);

/// Undoes one lock_os_thread(); without one it does nothing. Go: UnlockOSThread.
void unlock_os_thread();

/// lock_os_thread() for the length of a scope: for code that keeps something of its thread's (a lock of the host's, a
/// thread-local) across what may park. Goroutines only: throws std::logic_error elsewhere.
class pin {
public:
    pin() { lock_os_thread(); }
    ~pin() { unlock_os_thread(); }
    pin(const pin&) = delete;
    pin& operator=(const pin&) = delete;
};

} // namespace this_goroutine
} // namespace weft
#pragma GCC visibility pop
