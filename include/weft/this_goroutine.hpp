// SPDX-License-Identifier: MIT
// What a goroutine may do to itself.
#pragma once

#include <cstdint>

#pragma GCC visibility push(default)
namespace weft {

/// Lets the others run: the calling goroutine goes to the end of its P's queue and continues when
/// its turn comes, maybe on another thread. Go: goyield; every 61st time the global queue is served.
/// Goroutines only: throws std::logic_error elsewhere.
void yield();

namespace this_goroutine {

/// The calling goroutine's number: 1 is the main goroutine, and none is used twice in a runtime's
/// life. 0 on a thread that runs no goroutine. Any thread.
std::uint64_t id() noexcept;

/// Ties the calling goroutine to its thread: until as many unlock_os_thread() calls, it runs on no
/// other thread and no other goroutine runs on this one. A goroutine that ends while locked ends
/// its thread with it. Go: LockOSThread.
/// Goroutines only: throws std::logic_error elsewhere, or when nested too often.
void lock_os_thread();

/// Undoes one lock_os_thread(); without one it does nothing. Go: UnlockOSThread.
void unlock_os_thread();

} // namespace this_goroutine
} // namespace weft
#pragma GCC visibility pop
