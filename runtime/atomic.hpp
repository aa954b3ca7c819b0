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
