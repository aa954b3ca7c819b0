// SPDX-License-Identifier: MIT
// The smallest way to wait: one goroutine parks, another lets it go on. Other primitives are built on it.
#pragma once

#include <atomic>
#include <cstdint>

#include <weft/detail/cross.hpp>

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
#ifdef WEFT_CROSS_INLINE
    [[gnu::always_inline]] void park() {
        const detail::crossing c = begin_park();
        if (c.to != nullptr) detail::cross<detail::leaving::waiting>(c.from, c.to);
    }
#else
    void park() { park_by_call(); }
#endif

    /// Gives the permit, if it is not given already; a goroutine that is parked becomes runnable, to run next on
    /// the caller's P. Goroutines only: throws std::logic_error elsewhere.
    void unpark();

private:
    detail::crossing begin_park(); // all but the crossing, as begin_yield
    void park_by_call();           // all of it

    std::atomic<std::uintptr_t> state_{0}; // nobody, permit, or the parked goroutine: see sync/parker.cpp
};

} // namespace weft
#pragma GCC visibility pop
