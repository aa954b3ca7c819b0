// SPDX-License-Identifier: MIT
// Starting goroutines: go() for those that nobody waits for, spawn() for those with a result.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <cxxabi.h>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>

#include <weft/detail/cross.hpp>

#pragma GCC visibility push(default)
namespace weft {

namespace detail {

/// Bytes inside a goroutine's descriptor for its function, arguments and result; more go to the heap.
inline constexpr std::size_t inline_size = 64;
inline constexpr std::size_t inline_align = 16;

/// A goroutine that is being made, and the place for its function object.
struct new_goroutine {
    rt::g* gp;
    void* storage;
};

/// Go: newproc1's first half. Throws std::bad_alloc, std::logic_error off the runtime.
new_goroutine newg(std::size_t size, std::size_t align, bool joinable);
/// Makes it runnable. run(gp, storage) is called on its stack.
void newproc(rt::g* gp, void (*run)(rt::g*, void*)) noexcept;
/// Gives it back unused, when the function object could not be made.
void drop(rt::g* gp) noexcept;

/// A function object that may be copied as bytes, padded.
struct small_closure {
    std::uint64_t words[2];
};
/// newg and newproc in one, for those.
rt::g* newproc_small(small_closure closure, void (*run)(rt::g*, void*), bool joinable);

/// Place for what a goroutine leaves behind for join; the same storage as the function object's, which is gone.
void* result_storage(rt::g* gp, std::size_t size, std::size_t align);
/// The result is in that place; destroy may be null.
void set_result(rt::g* gp, void (*destroy)(rt::g*, void*)) noexcept;
void set_exception(rt::g* gp, std::exception_ptr e) noexcept;

/// Parks until gp has finished: all but the crossing, which is to be made if to is not null.
crossing begin_join(rt::g* gp);
/// All of it.
void join_by_call(rt::g* gp);
/// gp has finished, and it is the caller's; the exception that it ended with, if any.
std::exception_ptr end_join(rt::g* gp) noexcept;
/// Gives such a descriptor back.
void release_joined(rt::g* gp) noexcept;
bool finished(const rt::g* gp) noexcept;
/// Drops the handle; an exception nobody joined for is reported as a panic of gp.
void release(rt::g* gp) noexcept;
void* result(rt::g* gp) noexcept;

[[noreturn]] void go_of_nil();
[[noreturn]] void no_goroutine();

template <class F>
void check_not_empty(const F& f) {
    if constexpr (!std::is_function_v<F> && requires { f == nullptr; }) {
        if (f == nullptr) go_of_nil();
    }
}

template <class F, class... Args>
struct closure {
    std::decay_t<F> f;
    std::tuple<std::decay_t<Args>...> args;

    decltype(auto) operator()() {
        return std::apply([this](auto&... a) -> decltype(auto) { return std::invoke(std::move(f), std::move(a)...); },
                          args);
    }
};

/// Makes the closure in its goroutine and starts it. Inlined, and its callers too, so that the place that
/// newg is called from is a line of the program.
template <class Closure, class F, class... Args>
[[gnu::always_inline]] inline rt::g* start(bool joinable, void (*run)(rt::g*, void*), F&& f, Args&&... args) {
    if constexpr (sizeof(Closure) <= sizeof(small_closure) && alignof(Closure) <= alignof(small_closure) &&
                  std::is_trivially_copy_constructible_v<Closure> && std::is_trivially_destructible_v<Closure> &&
                  std::is_nothrow_constructible_v<std::decay_t<F>, F> &&
                  (std::is_nothrow_constructible_v<std::decay_t<Args>, Args> && ...)) {
        const Closure closure{std::forward<F>(f), {std::forward<Args>(args)...}};
        small_closure bytes{};
        std::memcpy(&bytes, static_cast<const void*>(&closure), sizeof closure);
        return newproc_small(bytes, run, joinable);
    }
    new_goroutine made = newg(sizeof(Closure), alignof(Closure), joinable);
    if constexpr (std::is_nothrow_constructible_v<std::decay_t<F>, F> &&
                  (std::is_nothrow_constructible_v<std::decay_t<Args>, Args> && ...)) {
        ::new (made.storage) Closure{std::forward<F>(f), {std::forward<Args>(args)...}};
    } else {
        try {
            ::new (made.storage) Closure{std::forward<F>(f), {std::forward<Args>(args)...}};
        } catch (...) {
            drop(made.gp);
            throw;
        }
    }
    newproc(made.gp, run);
    return made.gp;
}

} // namespace detail

/// Starts f(args…) as a goroutine that nobody waits for. The function and the arguments are moved or
/// copied into it, as std::thread does; std::ref passes a reference. An exception that leaves f ends
/// the process with Go's panic report and exit status 2. Go: the go statement.
/// Goroutines only. Throws std::invalid_argument ("go of nil func value") for an empty function,
/// std::bad_alloc when no memory or no address space for a stack is left, std::logic_error on a thread
/// that runs no goroutine, and what the copies throw; then nothing was started.
template <class F, class... Args>
    requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
[[gnu::always_inline]] inline void go(F&& f, Args&&... args) {
    using closure = detail::closure<F, Args...>;
    detail::check_not_empty(f);
    detail::start<closure>(
        false,
        [](rt::g*, void* storage) {
            struct guard {
                closure* c;
                ~guard() { std::destroy_at(c); }
            } self{static_cast<closure*>(storage)};
            (*self.c)();
        },
        std::forward<F>(f), std::forward<Args>(args)...);
}

/// The result to come of a goroutine started by spawn(). Movable. A handle that is destroyed or
/// assigned to without join() lets its goroutine go on by itself, as detach() does.
template <class T>
class [[nodiscard]] handle {
public:
    handle() noexcept = default;
    /// For spawn() only.
    explicit handle(rt::g* gp) noexcept : gp_(gp) {}
    /// The goroutine is this handle's from now on, and other is empty. So it is after an assignment, before which
    /// the handle lets go of its own.
    handle(handle&& other) noexcept : gp_(std::exchange(other.gp_, nullptr)) {}
    /// As the constructor.
    handle& operator=(handle&& other) noexcept {
        if (this != &other) {
            detach();
            gp_ = std::exchange(other.gp_, nullptr);
        }
        return *this;
    }
    ~handle() { detach(); }

    /// Whether join() or detach() may still be called.
    bool joinable() const noexcept { return gp_ != nullptr; }

    /// Whether the goroutine has finished, so that join() would not park; then what it did comes before. Any thread.
    bool finished() const {
        if (gp_ == nullptr) throw std::logic_error("weft: finished() of a handle that has no goroutine");
        return detail::finished(gp_);
    }

    /// Parks until the goroutine has finished; returns its result or throws its exception. Once only.
    /// From a goroutine; from any thread once the goroutine has finished.
    /// Throws std::logic_error on an empty handle, or where the caller cannot park.
    T join() {
        if (gp_ == nullptr) throw std::logic_error("weft: join of a handle that has no goroutine");
#ifdef WEFT_CROSS_INLINE
        const detail::crossing c = detail::begin_join(gp_);
        if (c.to != nullptr) detail::cross<detail::leaving::waiting>(c.from, c.to);
#else
        detail::join_by_call(gp_);
#endif
        releaser owned{std::exchange(gp_, nullptr)};
        if (std::exception_ptr failed = detail::end_join(owned.gp)) std::rethrow_exception(std::move(failed));
        if constexpr (std::is_reference_v<T>)
            return static_cast<T>(**static_cast<std::remove_reference_t<T>**>(detail::result(owned.gp)));
        else if constexpr (!std::is_void_v<T>)
            return std::move(*static_cast<T*>(detail::result(owned.gp)));
    }

    /// Lets the goroutine go on by itself; an exception that it ends with is then reported as a panic.
    void detach() noexcept {
        if (gp_ != nullptr) detail::release(std::exchange(gp_, nullptr));
    }

private:
    struct releaser {
        rt::g* gp;
        ~releaser() { detail::release_joined(gp); }
    };

    rt::g* gp_ = nullptr;
};

/// Starts f(args…) as a goroutine and returns a handle to join() it for its result or its exception.
/// Everything else is as with go().
template <class F, class... Args>
    requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
[[gnu::always_inline]] inline auto spawn(F&& f, Args&&... args)
    -> handle<std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>> {
    using closure = detail::closure<F, Args...>;
    using result = std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>;
    detail::check_not_empty(f);
    rt::g* gp = detail::start<closure>(
        true,
        [](rt::g* self, void* storage) {
            auto* c = static_cast<closure*>(storage);
            // The result takes the closure's place, so it waits on the stack until that is destroyed.
            auto body = [&]() -> decltype(auto) {
                struct guard {
                    closure* c;
                    ~guard() { std::destroy_at(c); }
                } destroyed_after{c};
                return (*c)();
            };
            try {
                if constexpr (std::is_void_v<result>) {
                    body();
                } else if constexpr (std::is_reference_v<result>) {
                    auto&& there = body();
                    auto* value = std::addressof(there);
                    ::new (detail::result_storage(self, sizeof(value), alignof(decltype(value)))) auto(value);
                    detail::set_result(self, nullptr);
                } else {
                    result value = body();
                    ::new (detail::result_storage(self, sizeof(result), alignof(result))) result(std::move(value));
                    detail::set_result(
                        self, std::is_trivially_destructible_v<result> ? nullptr : +[](rt::g*, void* r) {
                            std::destroy_at(static_cast<result*>(r));
                        });
                }
#ifdef __GLIBCXX__
            } catch (abi::__forced_unwind&) { // the thread is being cancelled: not ours to swallow
                throw;
#endif
            } catch (...) {
                detail::set_exception(self, std::current_exception());
            }
        },
        std::forward<F>(f), std::forward<Args>(args)...);
    return handle<result>(gp);
}

} // namespace weft
#pragma GCC visibility pop
