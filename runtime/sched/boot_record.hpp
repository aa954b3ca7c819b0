// SPDX-License-Identifier: MIT
// The record of a start-up: each step of docs/startup.md writes one line here while the runtime boots.
// Only functions that run during the start-up alone, or that test m.boots first, write to it, so that
// a booted runtime pays nothing.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "atomic.hpp"
#include "weft/runtime.hpp"

namespace weft::rt {

/// Written by m0 and by sysmon's thread at once: a slot is claimed by a counter and made readable by its flag.
class boot_log {
public:
    /// Forgets the start-up before.
    void clear() noexcept;
    /// Records a step taken by the calling thread. name and detail are literals.
    void step(const char* name, const char* detail = "") noexcept;
    /// The steps in order.
    std::vector<boot_step> steps() const;

private:
    static constexpr std::size_t capacity = 64;
    struct entry {
        boot_step step;
        atomic<bool> written{false}; // release by the writer, acquire by the reader
    };
    std::array<entry, capacity> entries_{};
    atomic<std::size_t> count_{0};
    std::int64_t start_ns_ = 0;
};

} // namespace weft::rt
