// SPDX-License-Identifier: MIT
// Waiting until a number of goroutines have finished. Go: sync.WaitGroup.
#pragma once

#include <atomic>
#include <cstdint>

#pragma GCC visibility push(default)
namespace weft {

/// A counter that goroutines can wait on to reach zero. It must outlive its waiters' wait().
class wait_group {
public:
    constexpr wait_group() noexcept = default;
    wait_group(const wait_group&) = delete;
    wait_group& operator=(const wait_group&) = delete;

    /// Adds delta, which may be negative, to the counter; at zero every waiter continues.
    /// From goroutines of the waiters' runtime; a thread that runs no goroutine may add while no goroutine
    /// uses the wait group yet. Throws std::logic_error for a negative delta on such a thread, and when the
    /// counter goes below zero ("sync: negative WaitGroup counter").
    void add(std::int32_t delta);
    /// add(-1).
    void done() { add(-1); }
    /// Parks until the counter is zero. Goroutines only: throws std::logic_error elsewhere.
    void wait();

private:
    void wait_slow();
    void wake_all();

    // Counter in the upper half, in the lower half whether somebody waits: see sync/wait_group.cpp.
    std::atomic<std::uint64_t> state_{0};
    std::atomic<std::uint32_t> lock_{0}; // guards waiters_; a rt::futex_lock word
    void* waiters_ = nullptr;
};

} // namespace weft
#pragma GCC visibility pop
