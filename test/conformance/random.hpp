// SPDX-License-Identifier: MIT
// Seeded random numbers. The seed is printed once; WEFT_TEST_SEED repeats it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace conf {

inline std::uint64_t seed() {
    static const std::uint64_t value = [] {
        const char* given = std::getenv("WEFT_TEST_SEED");
        const std::uint64_t chosen = given != nullptr ? std::strtoull(given, nullptr, 0) : std::random_device{}();
        std::fprintf(stderr, "seed: WEFT_TEST_SEED=%llu repeats this run\n", static_cast<unsigned long long>(chosen));
        return chosen;
    }();
    return value;
}

/// splitmix64.
class random_source {
public:
    explicit random_source(std::uint64_t start = seed()) : state_(start) {}
    std::uint64_t operator()() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

private:
    std::uint64_t state_;
};

} // namespace conf
