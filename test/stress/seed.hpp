// SPDX-License-Identifier: MIT
// Random numbers that can be had again: the seed comes from WEFT_TEST_SEED, or from the clock, and is
// printed. WEFT_TEST_LONG makes every stress test run longer.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace stress {

/// The seed of this process, printed at its first use.
inline std::uint64_t seed() {
    static const std::uint64_t chosen = [] {
        const char* given = std::getenv("WEFT_TEST_SEED");
        const std::uint64_t value =
            given != nullptr ? std::stoull(given)
                             : static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
        std::fprintf(stderr, "WEFT_TEST_SEED=%llu repeats this run's choices\n",
                     static_cast<unsigned long long>(value));
        return value;
    }();
    return chosen;
}

inline bool long_run() { return std::getenv("WEFT_TEST_LONG") != nullptr; }

/// splitmix64: a small state, so that every goroutine can have one of its own.
class random_numbers {
public:
    explicit random_numbers(std::uint64_t stream) : state_(seed() + stream * 0x9e3779b97f4a7c15ULL) {}

    std::uint64_t next() {
        std::uint64_t x = state_ += 0x9e3779b97f4a7c15ULL;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
        return x ^ (x >> 31);
    }
    /// 0 … n−1.
    std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(next() % n); }
    /// Once in n calls, on average.
    bool one_in(std::uint32_t n) { return below(n) == 0; }

private:
    std::uint64_t state_;
};

/// Repeats work(round) until about a second is over, or three minutes in a long run. At least once.
template <class Work>
void for_a_while(Work&& work) {
    const auto end =
        std::chrono::steady_clock::now() + (long_run() ? std::chrono::minutes(3) : std::chrono::seconds(1));
    std::uint64_t round = 0;
    do work(round++);
    while (std::chrono::steady_clock::now() < end);
}

} // namespace stress
