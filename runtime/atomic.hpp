// SPDX-License-Identifier: MIT
// The one seam through which the runtime uses atomics, so that a model build can put its own here.
// Every order weaker than seq_cst names, where it is used, the operation that it pairs with.
#pragma once

#include <atomic>

namespace weft::rt {

template <class T>
using atomic = std::atomic<T>;

inline constexpr auto relaxed = std::memory_order_relaxed;
inline constexpr auto acquire = std::memory_order_acquire;
inline constexpr auto release = std::memory_order_release;
inline constexpr auto acq_rel = std::memory_order_acq_rel;
inline constexpr auto seq_cst = std::memory_order_seq_cst;

/// A pointer that one thread at a time owns and uses as if it were plain, and that others may look at.
template <class T>
class owned_ptr {
public:
    operator T*() const noexcept { return value_.load(relaxed); }
    T* operator->() const noexcept { return value_.load(relaxed); }
    /// release: pairs with seen().
    owned_ptr& operator=(T* value) noexcept {
        value_.store(value, release);
        return *this;
    }
    /// For those who do not own it; acquire.
    T* seen() const noexcept { return value_.load(acquire); }

private:
    atomic<T*> value_{nullptr};
};

/// Every store before it is visible before any load after it is made (StoreLoad).
/// ThreadSanitizer knows no fences; a read-modify-write has the same effect on the machines it runs on.
inline void store_load_barrier() noexcept {
#if defined(__SANITIZE_THREAD__)
    std::atomic<int> here{0};
    here.fetch_add(1, seq_cst);
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
    std::atomic<int> here{0};
    here.fetch_add(1, seq_cst);
#else
    std::atomic_thread_fence(seq_cst);
#endif
#else
    std::atomic_thread_fence(seq_cst);
#endif
}

} // namespace weft::rt
