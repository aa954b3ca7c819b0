// SPDX-License-Identifier: MIT
#include "progress.hpp"

#include <cstdio>
#include <unistd.h>

progress::progress(std::size_t total) : total_(total), terminal_(::isatty(STDERR_FILENO) == 1) {}

void progress::show(std::size_t done, std::uint64_t bytes) {
    if (!terminal_) return;
    const auto now = clock::now();
    if (now < next_) return;
    next_ = now + std::chrono::milliseconds(100);
    shown_ = true;
    std::fprintf(stderr, "\r%zu of %zu files, %.1f MB\033[K", done, total_, static_cast<double>(bytes) / 1e6);
}

void progress::clear() {
    if (!shown_) return;
    shown_ = false;
    std::fputs("\r\033[K", stderr);
}
