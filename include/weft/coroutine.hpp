// SPDX-License-Identifier: MIT
// Stackful coroutines for C++ on weft-core's (weft/coroutine.h): a function that gives values to its resumer
// and gets values from it, and goes on where it was. Neither threads nor a runtime are needed; weft-core is enough.
//
//     weft::coroutine<int, int> sums([](auto& yield, int n) {
//         for (int sum = n;; sum += n) {
//             std::optional<int> next = yield(sum);
//             if (!next) return; // told to stop
//             n = *next;
//         }
//     });
//     sums.resume(1); // 1
//     sums.resume(2); // 3
//
// Exceptions that leave the function come out of resume(); a coroutine may be left inside a catch block or a
// destructor.
//
// How a coroutine ends that is destroyed before its function has returned: it is told to stop. The yield in
// which it stands returns nothing (std::nullopt, false), it must return from there, and its destructors run by the
// function's own control flow. Nothing is thrown into it and nothing unwinds it. A function that
// yields once more instead ends the process with "fatal error: weft: a coroutine that was told to stop has yielded
// again". abandon() gives one up without asking.
//
// Works with -fno-exceptions and -fno-rtti: there an error that would be thrown ends the process with its name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include "weft/coroutine.h"
#include "weft/detail/exception_state.hpp"

#pragma GCC visibility push(default)
namespace weft {
inline namespace WEFT_COROUTINE_NAMESPACE {

/// Misuse of a coroutine, or a stack that will not do: what() is weft_error_name(code()).
class coroutine_error : public std::exception {
public:
    /// code: one of context.h's WEFT_E….
    explicit coroutine_error(int code) noexcept : code_(code) {}
    /// One of context.h's WEFT_E….
    int code() const noexcept { return code_; }
    /// The text of weft_error_name.
    const char* what() const noexcept override { return weft_error_name(code_); }

private:
    int code_;
};

/// The stack of a coroutine that the library maps, with a guard page: that many bytes at least.
struct stack_size {
    std::size_t bytes = 256 * 1024; ///< rounded up to pages
};

/// The stack of a coroutine that is the caller's, and outlives it. Both multiples of 16. The function object and
/// some 300 bytes lie at its upper end.
struct given_stack {
    void* lo;         ///< its lowest byte
    std::size_t size; ///< in bytes
};

template <class Yield, class Resume>
class yielder;

namespace coroutine_detail {

[[noreturn, gnu::noinline, gnu::cold]] inline void coroutine_failed(int code) {
#if defined(__cpp_exceptions)
    if (code == WEFT_ENOMEM) throw std::bad_alloc();
    throw coroutine_error(code);
#else
    weft_fail(code);
#endif
}

/// What every coroutine has at the upper end of its stack; behind it stands what its kind has.
struct coroutine_frame {
    weft_coroutine co;
    exception_words words{}; // while it is suspended
#if defined(__cpp_exceptions)
    std::exception_ptr left_with;
#endif
    bool stopping = false;
    bool began = false;
    weft_stack made{};                       // the library's, or empty
    void (*drop)(coroutine_frame*) noexcept; // destroys the whole of it

    /// Runs the coroutine until it yields or has returned. Throws coroutine_error, and what left the function.
    void enter() {
        exception_border border(words);
        const int failed = weft_coroutine_resume_inline(&co, this, nullptr);
        border.back(words);
        if (failed != 0) [[unlikely]]
            coroutine_failed(failed);
#if defined(__cpp_exceptions)
        if (left_with != nullptr) [[unlikely]]
            rethrow();
#endif
    }
#if defined(__cpp_exceptions)
    [[noreturn, gnu::noinline, gnu::cold]] void rethrow() { std::rethrow_exception(std::exchange(left_with, nullptr)); }
#endif

    /// Before a yield changes anything: throws coroutine_error where it cannot succeed.
    void refuse_elsewhere() const {
        const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        if (weft_coroutine_status(&co) != WEFT_COROUTINE_RUNNING ||
            here - reinterpret_cast<std::uintptr_t>(co.lo) >= co.size) [[unlikely]]
            coroutine_failed(WEFT_EOUTSIDE);
    }

    /// From the coroutine to its resumer and back. Throws coroutine_error when called from elsewhere.
    void leave() {
        if (stopping) [[unlikely]]
            weft_fail(WEFT_ESTOPPED);
        const int failed = weft_coroutine_yield_inline(&co, nullptr, nullptr);
        if (failed != 0) [[unlikely]]
            coroutine_failed(failed);
    }
};

/// Owns a frame, and with it the coroutine and its stack.
class coroutine_owner {
public:
    coroutine_owner() noexcept = default;
    coroutine_owner(coroutine_owner&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    coroutine_owner& operator=(coroutine_owner&& other) noexcept {
        if (this == &other) return *this;
        end();
        frame_ = std::exchange(other.frame_, nullptr);
        return *this;
    }
    ~coroutine_owner() { end(); }

    /// A frame of type Frame, made of args, and a coroutine that runs Frame::body(frame).
    template <class Frame, class... Args>
    static coroutine_owner make(const given_stack& on, const weft_stack& made, Args&&... args) {
        constexpr std::size_t align = alignof(Frame) < 64 ? 64 : alignof(Frame);
        const auto lo = reinterpret_cast<std::uintptr_t>(on.lo);
        if (on.lo == nullptr) coroutine_failed(WEFT_EINVAL);
        if (lo % 16 != 0 || on.size % 16 != 0 || on.size > UINTPTR_MAX - lo ||
            on.size < sizeof(Frame) + align + WEFT_COROUTINE_MIN_STACK)
            coroutine_failed(WEFT_ESTACK);
        const std::uintptr_t place = (lo + on.size - sizeof(Frame)) & ~(align - 1);
        auto* frame = ::new (reinterpret_cast<void*>(place)) Frame(std::forward<Args>(args)...);
        const auto run = [](weft_coroutine*, void* f) -> void* {
            run_body(static_cast<Frame*>(f));
            return nullptr;
        };
        weft_coroutine_init(&frame->co, on.lo, place - lo, run, nullptr, 0); // its stack has been checked
        frame->drop = [](coroutine_frame* f) noexcept { static_cast<Frame*>(f)->~Frame(); };
        frame->made = made;
        coroutine_owner owner;
        owner.frame_ = frame;
        return owner;
    }
    template <class Frame, class... Args>
    static coroutine_owner make(const stack_size& size, Args&&... args) {
        weft_stack made{};
        // Room for the frame on top of what was asked for.
        if (size.bytes < WEFT_COROUTINE_MIN_STACK || size.bytes > SIZE_MAX / 2) coroutine_failed(WEFT_ESTACK);
        const int failed = weft_stack_map(&made, size.bytes + sizeof(Frame) + alignof(Frame) + 64);
        if (failed != 0) coroutine_failed(failed);
#if defined(__cpp_exceptions)
        try {
#endif
            return make<Frame>(given_stack{made.lo, made.size}, made, std::forward<Args>(args)...);
#if defined(__cpp_exceptions)
        } catch (...) {
            weft_stack_unmap(&made);
            throw;
        }
#endif
    }

    coroutine_frame* get() const noexcept { return frame_; }
    bool finished() const noexcept {
        return frame_ == nullptr || weft_coroutine_status(&frame_->co) == WEFT_COROUTINE_FINISHED;
    }

    /// Tells it to stop, unless it has not begun or has finished, and gives it up. Throws what leaves its function.
    void stop() {
        // A coroutine that ends itself from within: a named end, for there is nobody to return to.
        if (frame_ != nullptr && weft_coroutine_status(&frame_->co) == WEFT_COROUTINE_RUNNING) weft_fail(WEFT_ERUNNING);
        if (frame_ == nullptr) return;
        coroutine_owner mine(std::move(*this)); // the function may move or destroy this
        if (mine.frame_->began && !mine.finished()) {
            mine.frame_->stopping = true;
            mine.frame_->enter();
        }
        mine.release();
    }

    /// Gives it up where it stands.
    void release() noexcept {
        coroutine_frame* f = std::exchange(frame_, nullptr); // what the function holds may own this
        if (f == nullptr) return;
        if (const int failed = weft_coroutine_destroy(&f->co); failed != 0) weft_fail(failed);
        weft_stack made = f->made;
        f->drop(f);
        if (made.lo != nullptr) weft_stack_unmap(&made);
    }

private:
    void end() noexcept { stop(); }

    template <class Frame>
    static void run_body(Frame* frame) {
        frame->began = true;
#if defined(__cpp_exceptions)
        try {
            frame->body();
        } catch (...) {
            frame->left_with = std::current_exception();
        }
#else
        frame->body();
#endif
    }

    coroutine_frame* frame_ = nullptr;
};

/// Where a value waits for the other side; nothing for void.
template <class T>
struct coroutine_slot {
    using result = std::optional<T>;
    std::optional<T> value;
    result take() { return std::exchange(value, std::nullopt); }
};
template <>
struct coroutine_slot<void> {
    using result = bool;
    bool value = false;
    result take() noexcept { return std::exchange(value, false); }
};

template <class Yield, class Resume>
struct channel_frame : coroutine_frame {
    coroutine_slot<Yield> out;
    coroutine_slot<Resume> in;
};

template <class Yield, class Resume, class Body>
struct body_frame : channel_frame<Yield, Resume> {
    Body function;
    explicit body_frame(Body&& f) : function(std::move(f)) {}
    void body();
};

} // namespace coroutine_detail

/// What the function of a coroutine yields with. It is the library's; the function gets a reference.
template <class Yield, class Resume>
class yielder {
public:
    yielder(const yielder&) = delete;
    yielder& operator=(const yielder&) = delete;

    /// Gives value to the resumer and returns what the next resume() brings: a std::optional<Resume>, or a bool where
    /// Resume is void. Empty, or false: the coroutine is told to stop, and must return without
    /// another yield. On the coroutine's stack; throws coroutine_error (WEFT_EOUTSIDE) when it is not, and what the
    /// move of a value throws.
    template <class V = Yield>
        requires(!std::is_void_v<Yield>)
    [[nodiscard]] typename coroutine_detail::coroutine_slot<Resume>::result operator()(V&& value) {
        frame_.refuse_elsewhere();
        frame_.out.value.emplace(std::forward<V>(value));
        frame_.leave();
        return frame_.in.take();
    }
    /// The same where Yield is void.
    [[nodiscard]] typename coroutine_detail::coroutine_slot<Resume>::result
    operator()() requires std::is_void_v<Yield> {
        frame_.refuse_elsewhere();
        frame_.out.value = true;
        frame_.leave();
        return frame_.in.take();
    }

private:
    template <class, class, class>
    friend struct coroutine_detail::body_frame;
    explicit yielder(coroutine_detail::channel_frame<Yield, Resume>& frame) noexcept : frame_(frame) {}
    coroutine_detail::channel_frame<Yield, Resume>& frame_;
};

template <class Yield, class Resume, class Body>
void coroutine_detail::body_frame<Yield, Resume, Body>::body() {
    yielder<Yield, Resume> yield(*this);
    if constexpr (std::is_void_v<Resume>) {
        this->in.take();
        function(yield);
    } else {
        function(yield, *this->in.take());
    }
}

/// A coroutine that gives values of type Yield and gets values of type Resume; either may be void. Move-only. One
/// thread at a time, any thread; another than before only if the program orders the two.
template <class Yield, class Resume = void>
class coroutine {
public:
    /// What the function yields with.
    using yielder = weft::yielder<Yield, Resume>;
    /// What resume() returns.
    using yielded = typename coroutine_detail::coroutine_slot<Yield>::result;

    /// A coroutine that is none: done().
    coroutine() noexcept = default;

    /// function(yielder&, Resume), or function(yielder&) where Resume is void, will run on a stack of its own. The
    /// first resume starts it. Throws std::bad_alloc, coroutine_error (WEFT_ESTACK, WEFT_EINVAL), and what moving the
    /// function throws.
    template <class F>
    explicit coroutine(F function, stack_size size = {})
        : owner_(coroutine_detail::coroutine_owner::make<frame<F>>(size, std::move(function))) {}
    /// The same on a stack of the caller's.
    template <class F>
    coroutine(F function, given_stack stack)
        : owner_(coroutine_detail::coroutine_owner::make<frame<F>>(stack, weft_stack{}, std::move(function))) {}

    /// other has none afterwards.
    coroutine(coroutine&&) noexcept = default;
    /// Ends the one that was held as the destructor does.
    coroutine& operator=(coroutine&&) noexcept = default;
    /// As stop(), but what leaves the function ends the process (std::terminate).
    ~coroutine() = default;

    /// Runs the function until it yields or returns, and hands value to it. Returns what it yields (a bool where Yield
    /// is void); empty, or false: it has returned. Throws what leaves the function, which is the end of it, and
    /// coroutine_error: WEFT_EFINISHED, WEFT_ERUNNING.
    template <class V = Resume>
        requires(!std::is_void_v<Resume>)
    yielded resume(V&& value) {
        check();
        auto& there = channel(); // which stays, wherever the function moves this
        there.in.value.emplace(std::forward<V>(value));
        there.enter();
        return there.out.take();
    }
    /// The same where Resume is void.
    yielded resume() requires std::is_void_v<Resume> {
        check();
        auto& there = channel();
        there.in.value = true;
        there.enter();
        return there.out.take();
    }

    /// Whether the function has returned, or there is none.
    bool done() const noexcept { return owner_.finished(); }
    /// Whether resume() may be called: not done().
    explicit operator bool() const noexcept { return !done(); }

    /// Tells a function that has begun and not returned to stop, by the yield in which it stands, and frees the stack.
    /// Throws what leaves the function; the stack is freed all the same. Not inside the coroutine: the
    /// process ends with "fatal error: weft: the coroutine is running".
    void stop() { owner_.stop(); }
    /// Frees the stack without asking: no destructor of the function's locals runs.
    void abandon() noexcept { owner_.release(); }

private:
    template <class F>
    using frame = coroutine_detail::body_frame<Yield, Resume, F>;

    /// Before a value is put where the other side may not have taken the last one.
    void check() const {
        if (owner_.get() == nullptr) coroutine_detail::coroutine_failed(WEFT_EFINISHED);
        const int status = weft_coroutine_status(&owner_.get()->co);
        if (status == WEFT_COROUTINE_SUSPENDED) [[likely]]
            return;
        coroutine_detail::coroutine_failed(status == WEFT_COROUTINE_RUNNING ? WEFT_ERUNNING : WEFT_EFINISHED);
    }
    coroutine_detail::channel_frame<Yield, Resume>& channel() const noexcept {
        return static_cast<coroutine_detail::channel_frame<Yield, Resume>&>(*owner_.get());
    }

    coroutine_detail::coroutine_owner owner_;
};

} // namespace WEFT_COROUTINE_NAMESPACE
} // namespace weft
#pragma GCC visibility pop
