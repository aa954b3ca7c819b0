// SPDX-License-Identifier: MIT
// One line on the terminal that says how far the work is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Writes to stderr when that is a terminal, else nothing. One goroutine uses it.
class progress {
public:
    explicit progress(std::size_t total);
    ~progress() { clear(); }
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;

    /// Shows the numbers, at most ten times a second.
    void show(std::size_t done, std::uint64_t bytes);
    /// Takes the line away.
    void clear();

private:
    using clock = std::chrono::steady_clock;
    std::size_t total_;
    bool terminal_;
    bool shown_ = false;
    clock::time_point next_{};
};
