// SPDX-License-Identifier: MIT
// The smallest way to wait: one goroutine parks, another lets it go on. Other primitives are built on it.
#pragma once

#include <atomic>
#include <cstdint>

#pragma GCC visibility push(default)
namespace weft {

/// A permit for one goroutine. Go has none; java.util.concurrent's LockSupport and Rust's Thread::park work so.
/// Must outlive every call. One goroutine at a time may park on it; any goroutine of the same runtime may unpark.
class parker {
public:
    constexpr parker() noexcept = default;
    parker(const parker&) = delete;
    parker& operator=(const parker&) = delete;

    /// Takes the permit; parks until there is one. Everything before the unpark() that gave it happens before
    /// park() returns. Goroutines only: throws std::logic_error elsewhere, or when another is parked here.
    void park();

    /// Gives the permit, if it is not given already; a goroutine that is parked becomes runnable, to run next on
    /// the caller's P. Goroutines only: throws std::logic_error elsewhere.
    void unpark();

private:
    std::atomic<std::uintptr_t> state_{0}; // nobody, permit, or the parked goroutine: see sync/parker.cpp
};

} // namespace weft
#pragma GCC visibility pop
