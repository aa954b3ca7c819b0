// SPDX-License-Identifier: MIT
// Calling what wants more stack than a goroutine has.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#pragma GCC visibility push(default)
namespace weft {

namespace detail {

/// fn(arg) on g0; throws what it throws.
void call_on_system_stack(void (*fn)(void*), void* arg);

} // namespace detail

/// Calls f(args…) on the system stack of the goroutine's thread (its g0) and returns what it returns: for libraries
/// that want more stack than options::stack_size. That stack has 8 MiB; on the thread that called run() it is what is
/// left of that thread's own, and with options::make_thread the made thread's own. Costs a few ns more than a call.
/// Goroutine or not, any thread; off a goroutine, and inside another on_system_stack(), it is a plain call. Go:
/// systemstack.
///
/// What f throws is caught there and thrown again on the goroutine's stack: the same object, but a debugger that stops
/// at the second throw does not see f. The result is moved once, a reference is returned as it is.
///
/// f may block its thread or compute for as long as it likes: the goroutine is in its own code there as well as
/// anywhere, and loses its P to others meanwhile. Where f is known to block, put weft::blocking() around, which lets go
/// earlier. f stays on one thread throughout, and it must not call weft for anything that a goroutine only may do (go,
/// yield, park, sleep_for, …): that throws std::logic_error, because nothing on this stack can be left behind.
/// this_goroutine::id() is 0 there. May not be called inside preemptible(): throws std::logic_error.
template <class F, class... Args>
    requires std::invocable<F, Args...> std::invoke_result_t<F, Args...> on_system_stack(F&& f, Args&&... args) {
        using result = std::invoke_result_t<F, Args...>;
        auto call = [&]() -> result { return std::invoke(std::forward<F>(f), std::forward<Args>(args)...); };
        using call_t = decltype(call);
        if constexpr (std::is_void_v<result>) {
            detail::call_on_system_stack([](void* c) { (*static_cast<call_t*>(c))(); }, &call);
        } else {
            constexpr bool by_reference = std::is_reference_v<result>;
            using kept = std::conditional_t<by_reference, std::remove_reference_t<result>*,
                                            std::optional<std::remove_cv_t<result>>>;
            struct {
                call_t& call;
                kept returned{};
            } both{call};
            detail::call_on_system_stack(
                [](void* b_) {
                    auto& b = *static_cast<decltype(both)*>(b_);
                    if constexpr (by_reference) {
                        auto&& there = b.call();
                        b.returned = std::addressof(there);
                    } else {
                        b.returned.emplace(b.call());
                    }
                },
                &both);
            return static_cast<result>(*std::move(both.returned));
        }
    }

} // namespace weft
#pragma GCC visibility pop
