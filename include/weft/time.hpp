// SPDX-License-Identifier: MIT
// Sleeping, and functions that run later.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#pragma GCC visibility push(default)
namespace weft {

namespace detail {

struct after_func;

/// Nanoseconds, saturated; what is not positive is 0.
template <class Rep, class Period>
constexpr std::int64_t saturated_ns(const std::chrono::duration<Rep, Period>& d) {
    using std::chrono::duration;
    using std::chrono::nanoseconds;
    if (!(d > d.zero())) return 0; // a NaN, too
    constexpr auto most = nanoseconds::max();
    // By way of floating point only the question whether it fits: a margin of a day is far from any rounding.
    if (duration<long double>(d) >= duration<long double>(most) - duration<long double>(86400.0L)) return most.count();
    const auto ns = std::chrono::ceil<nanoseconds>(d).count();
    return static_cast<std::int64_t>(ns);
}

void sleep_ns(std::int64_t ns);

} // namespace detail

/// Parks the calling goroutine for at least d. What is not positive returns at once; what is longer than a timer
/// can hold (292 years) is as long as that. Goroutines only: throws std::logic_error elsewhere, std::bad_alloc.
/// Go: time.Sleep.
template <class Rep, class Period>
void sleep_for(const std::chrono::duration<Rep, Period>& d) {
    detail::sleep_ns(detail::saturated_ns(d));
}

/// The same until a point in time. With a clock other than std::chrono::steady_clock it looks again when that clock
/// should have got there, and sleeps on if it was set back.
template <class Clock, class Duration>
void sleep_until(const std::chrono::time_point<Clock, Duration>& t) {
    if constexpr (std::is_same_v<Clock, std::chrono::steady_clock>) {
        if (const auto now = Clock::now(); now < t) sleep_for(t - now); // in this order nothing overflows
    } else {
        for (auto now = Clock::now(); now < t; now = Clock::now()) sleep_for(t - now);
    }
}

/// A function that runs as a goroutine of its own at some time, once, unless it is stopped before. It can be
/// set again. Movable. Its destructor stops it. Go: time.AfterFunc.
class timer {
public:
    timer() noexcept = default;
    /// f() runs d from now. Goroutines only: throws std::logic_error elsewhere, std::invalid_argument ("go of nil func
    /// value") for an empty function, std::bad_alloc. An exception that leaves f is a panic.
    template <class Rep, class Period, class F>
        requires std::invocable < std::decay_t<F>
    & > [[gnu::always_inline]] timer(const std::chrono::duration<Rep, Period>& d, F&& f)
        : timer(detail::saturated_ns(d), std::function<void()>(std::forward<F>(f))) {}
    /// What other was going to do is this timer's from now on, and other has no function. So it is after an assignment,
    /// before which the timer stops its own.
    timer(timer&& other) noexcept : t_(std::exchange(other.t_, nullptr)) {}
    /// As the constructor.
    timer& operator=(timer&& other) noexcept {
        if (this != &other) {
            drop();
            t_ = std::exchange(other.t_, nullptr);
        }
        return *this;
    }
    ~timer() { drop(); }

    /// True: it was going to run, and will not. False: it runs, has run, or was stopped before. Waits for nothing and
    /// costs two read-modify-writes. Any thread, but not at the same time as another call on the same timer.
    /// Throws std::logic_error for a timer that has no function ("uninitialized Timer").
    bool stop();

    /// It runs d from now, whether it was going to run, was stopped, or has run. True: it was going to run. Goroutines
    /// only, of the runtime in which it was made: throws std::logic_error elsewhere, and as stop(); std::bad_alloc, and
    /// then it is stopped.
    template <class Rep, class Period>
    bool reset(const std::chrono::duration<Rep, Period>& d) {
        return reset_ns(detail::saturated_ns(d));
    }

private:
    timer(std::int64_t ns, std::function<void()> f);
    bool reset_ns(std::int64_t ns);
    void drop() noexcept;

    detail::after_func* t_ = nullptr;
};

} // namespace weft
#pragma GCC visibility pop
