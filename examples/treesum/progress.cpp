// SPDX-License-Identifier: MIT
#include "progress.hpp"

#include <cstdio>
#include <unistd.h>

progress::progress(std::size_t total) : total_(total), terminal_(::isatty(STDERR_FILENO) == 1) {}

void progress::show(std::size_t done, std::uint64_t bytes) {
    if (!terminal_) return;
    if (busy_.test_and_set(std::memory_order_acquire)) return;
    const auto now = clock::now();
    const bool due = now >= next_;
    if (due) {
        next_ = now + std::chrono::milliseconds(100);
        shown_ = true;
        write(done, bytes);
    }
    busy_.clear(std::memory_order_release);
}

void progress::write(std::size_t done, std::uint64_t bytes) const {
    std::fprintf(stderr, "\r%zu of %zu files, %.1f MB\033[K", done, total_, static_cast<double>(bytes) / 1e6);
}

void progress::clear() {
    if (!shown_) return;
    shown_ = false;
    std::fputs("\r\033[K", stderr);
}
