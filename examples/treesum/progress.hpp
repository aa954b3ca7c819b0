// SPDX-License-Identifier: MIT
// One line on the terminal that says how far the work is.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

/// Writes to stderr when that is a terminal, else nothing. Any goroutine may call show(); while one shows, another
/// does not wait for it.
class progress {
public:
    explicit progress(std::size_t total);
    ~progress() { clear(); }
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;

    /// Shows the numbers, at most ten times a second.
    void show(std::size_t done, std::uint64_t bytes);
    /// Takes the line away. Nobody may show any more.
    void clear();

private:
    void write(std::size_t done, std::uint64_t bytes) const;

    using clock = std::chrono::steady_clock;
    std::size_t total_;
    bool terminal_;
    bool shown_ = false;
    std::atomic_flag busy_;
    clock::time_point next_{};
};
