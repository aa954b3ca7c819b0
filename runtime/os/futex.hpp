// SPDX-License-Identifier: MIT
// futex(2), private to the process.
#pragma once

#include <cstdint>

#include "atomic.hpp"

namespace weft::rt::os {

/// Sleeps while word == expected; comes back when woken, when the word differs, or for no reason.
void futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected) noexcept;
/// The same for at most ns nanoseconds.
void futex_wait_for(const atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t ns) noexcept;
/// Wakes at most count sleepers.
void futex_wake(const atomic<std::uint32_t>& word, int count) noexcept;

} // namespace weft::rt::os
