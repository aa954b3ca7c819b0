// SPDX-License-Identifier: MIT
#include "os/futex.hpp"

#include <ctime>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace weft::rt::os {

namespace {
long futex(const atomic<std::uint32_t>& word, int op, std::uint32_t value, const timespec* timeout) noexcept {
    return syscall(SYS_futex, &word, op, value, timeout, nullptr, 0);
}
} // namespace

void futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected) noexcept {
    futex(word, FUTEX_WAIT_PRIVATE, expected, nullptr);
}

void futex_wait_for(const atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t ns) noexcept {
    timespec timeout{ns / 1'000'000'000, static_cast<long>(ns % 1'000'000'000)};
    futex(word, FUTEX_WAIT_PRIVATE, expected, &timeout);
}

void futex_wake(const atomic<std::uint32_t>& word, int count) noexcept {
    futex(word, FUTEX_WAKE_PRIVATE, static_cast<std::uint32_t>(count), nullptr);
}

} // namespace weft::rt::os
