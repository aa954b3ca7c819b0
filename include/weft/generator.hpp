// SPDX-License-Identifier: MIT
// A range whose elements a function yields, one at a time and when they are asked for: from any depth of its
// calls, because it has a stack of its own.
//
//     weft::generator<int> squares([](auto& yield) {
//         for (int i = 0; yield(i * i); i++) {}
//     });
//     for (int n : std::move(squares) | std::views::take(5)) std::printf("%d\n", n);
//
// yield(x) returns whether to go on. It is false when the generator is destroyed before its function has returned, and
// then the function must return: weft/coroutine.hpp has the whole of that policy.
#pragma once

#include <cstddef>
#include <iterator>
#include <ranges>

#include "weft/coroutine.hpp"

#pragma GCC visibility push(default)
namespace weft {
inline namespace WEFT_COROUTINE_NAMESPACE {

namespace coroutine_detail {

template <class T>
struct generator_frame : coroutine_frame {
    T* current = nullptr; // lives in the frame of the yield
};

template <class T, class Body>
struct generator_body;

} // namespace coroutine_detail

/// What a generator's function yields with.
template <class T>
class generator_yielder {
public:
    generator_yielder(const generator_yielder&) = delete;
    generator_yielder& operator=(const generator_yielder&) = delete;

    /// Makes value the element; who takes it may move it away or change it. Returns true when the next one is asked
    /// for, false when the function must return. On the generator's stack; else throws coroutine_error (WEFT_EOUTSIDE).
    [[nodiscard]] bool operator()(T& value) { return give(&value); }
    /// The same of a temporary value.
    [[nodiscard]] bool operator()(T&& value) { return give(&value); }
    /// A copy of it.
    [[nodiscard]] bool operator()(const T& value) requires std::copy_constructible<T> {
        T copy(value);
        return give(&copy);
    }

private:
    template <class, class>
    friend struct coroutine_detail::generator_body;
    explicit generator_yielder(coroutine_detail::generator_frame<T>& frame) noexcept : frame_(frame) {}
    bool give(T* value) {
        frame_.refuse_elsewhere();
        frame_.current = value;
        frame_.leave();
        return !frame_.stopping;
    }
    coroutine_detail::generator_frame<T>& frame_;
};

template <class T, class Body>
struct coroutine_detail::generator_body : generator_frame<T> {
    Body function;
    explicit generator_body(Body&& f) : function(std::move(f)) {}
    void body() {
        generator_yielder<T> yield(*this);
        function(yield);
    }
};

/// An input range of T, a move-only view: begin() may be called once. One thread at a time.
template <class T>
    requires std::is_object_v<T>
class generator {
public:
    /// What the function yields with.
    using yielder = generator_yielder<T>;

    /// std::input_iterator; move-only.
    class iterator {
    public:
        /// std::indirectly_readable_traits
        using value_type = std::remove_cv_t<T>;
        /// std::incrementable_traits
        using difference_type = std::ptrdiff_t;

        iterator() noexcept = default;
        /// other may only be assigned to afterwards.
        iterator(iterator&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
        /// As the constructor.
        iterator& operator=(iterator&& other) noexcept {
            frame_ = std::exchange(other.frame_, nullptr);
            return *this;
        }
        ~iterator() = default;

        /// The element, until the next ++.
        T& operator*() const noexcept { return *frame_->current; }
        /// Its address, likewise.
        T* operator->() const noexcept { return frame_->current; }
        /// Runs the function until the next yield. Throws what leaves it.
        iterator& operator++() {
            frame_->enter();
            return *this;
        }
        /// The same; there is no older iterator to return.
        void operator++(int) { ++*this; }
        /// Whether the function has returned.
        friend bool operator==(const iterator& i, std::default_sentinel_t) noexcept {
            return weft_coroutine_status(&i.frame_->co) == WEFT_COROUTINE_FINISHED;
        }

    private:
        friend generator;
        explicit iterator(coroutine_detail::generator_frame<T>* frame) noexcept : frame_(frame) {}
        coroutine_detail::generator_frame<T>* frame_ = nullptr;
    };

    /// function(generator_yielder<T>&) will run on a stack of its own; begin() starts it. Throws std::bad_alloc,
    /// coroutine_error (WEFT_ESTACK, WEFT_EINVAL), and what moving the function throws.
    template <class F>
    explicit generator(F function, stack_size size = {})
        : owner_(coroutine_detail::coroutine_owner::make<frame<F>>(size, std::move(function))) {}
    /// The same on a stack of the caller's.
    template <class F>
    generator(F function, given_stack stack)
        : owner_(coroutine_detail::coroutine_owner::make<frame<F>>(stack, weft_stack{}, std::move(function))) {}

    /// other has no function afterwards.
    generator(generator&&) noexcept = default;
    /// Ends the one that was held as the destructor does.
    generator& operator=(generator&&) noexcept = default;
    /// As stop(), but what leaves the function ends the process (std::terminate).
    ~generator() = default;

    /// Runs the function until its first yield. Throws what leaves it, and coroutine_error: WEFT_EFINISHED when it has
    /// returned, or was moved from.
    iterator begin() {
        auto* f = static_cast<coroutine_detail::generator_frame<T>*>(owner_.get());
        if (f == nullptr) coroutine_detail::coroutine_failed(WEFT_EFINISHED);
        f->enter();
        return iterator(f);
    }
    /// What an iterator is compared with.
    std::default_sentinel_t end() const noexcept { return std::default_sentinel; }

    /// As coroutine's.
    void stop() { owner_.stop(); }
    /// As coroutine's.
    void abandon() noexcept { owner_.release(); }

private:
    template <class F>
    using frame = coroutine_detail::generator_body<T, F>;
    coroutine_detail::coroutine_owner owner_;
};

} // namespace WEFT_COROUTINE_NAMESPACE
} // namespace weft

/// @cond
template <class T>
inline constexpr bool std::ranges::enable_view<weft::generator<T>> = true;
/// @endcond
#pragma GCC visibility pop
