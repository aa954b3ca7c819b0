// SPDX-License-Identifier: MIT
// Visits 0 … n−1 once each, in an order that a random number chooses. Go: randomOrder, randomEnum.
#pragma once

#include <cstdint>
#include <numeric>

namespace weft::rt {

/// Starts anywhere and goes on by a step that is coprime to n, so that every position comes once.
class steal_order {
public:
    /// n at least 1.
    steal_order(std::uint32_t n, std::uint32_t random) noexcept
        : n_(n), left_(n), position_(random % n), step_(coprime(n, random / n)) {}

    bool done() const noexcept { return left_ == 0; }
    std::uint32_t position() const noexcept { return position_; }
    void next() noexcept {
        left_--;
        position_ = (position_ + step_) % n_;
    }

private:
    /// A number in 1 … n that is coprime to n: the first such from the random one on.
    static std::uint32_t coprime(std::uint32_t n, std::uint32_t random) noexcept {
        std::uint32_t step = random % n + 1;
        while (std::gcd(step, n) != 1) step = step % n + 1;
        return step;
    }

    std::uint32_t n_;
    std::uint32_t left_;
    std::uint32_t position_;
    std::uint32_t step_;
};

} // namespace weft::rt
