// SPDX-License-Identifier: MIT
// How much of everything a stress test may use at once.
#pragma once

#include <cstdint>

namespace stress {

#if defined(__SANITIZE_THREAD__)
#define STRESS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define STRESS_TSAN 1
#endif
#endif

/// libtsan of GCC 12 and Clang 14 knows 8128 contexts, goroutines and threads together.
#ifdef STRESS_TSAN
inline constexpr std::uint32_t live_goroutines = 1500;
#else
inline constexpr std::uint32_t live_goroutines = 6000;
#endif

} // namespace stress
