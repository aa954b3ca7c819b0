// SPDX-License-Identifier: MIT
// harness.h with C++ types; that file tells how a program and the driver talk.
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include "harness.h"
#pragma GCC diagnostic pop

namespace bench {

inline int procs() { return bench_procs(); }
inline bool quick() { return bench_quick() != 0; }
inline std::uint64_t now_ns() { return bench_now_ns(); }

inline void result(double value, const char* unit, const char* quantity = nullptr) {
    bench_result(value, unit, quantity);
}

[[noreturn]] inline void skip(const char* reason) {
    bench_skip(reason);
    __builtin_unreachable();
}

[[noreturn]] inline void fail(const char* what) {
    bench_fail(what);
    __builtin_unreachable();
}

/// batch(n) runs about n operations; it may return how many they were, else they were n.
template <class Batch>
void ns_per_op(Batch&& batch) {
    using type = std::remove_reference_t<Batch>;
    bench_ns_per_op(
        [](void* arg, std::uint64_t n) -> std::uint64_t {
            type& call = *static_cast<type*>(arg);
            if constexpr (std::is_void_v<decltype(call(n))>) {
                call(n);
                return n;
            } else {
                return call(n);
            }
        },
        const_cast<std::remove_const_t<type>*>(&batch));
}

inline void percentiles(std::span<std::uint64_t> sample) { bench_percentiles(sample.data(), sample.size()); }

/// Keeps a value alive without letting the compiler look through it.
template <class T>
inline void keep(T& value) {
    asm volatile("" : "+r"(value));
}

} // namespace bench
