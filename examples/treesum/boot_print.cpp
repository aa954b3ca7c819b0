// SPDX-License-Identifier: MIT
#include "boot_print.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <string>

namespace {

std::string stack_of(const weft::boot_step& step) {
    using kind = weft::boot_step::stack_kind;
    if (step.stack == kind::os) return "OS stack of m" + std::to_string(step.m);
    if (step.stack == kind::g0) return "g0 of m" + std::to_string(step.m);
    return "stack of g" + std::to_string(step.g);
}

void print_step(std::FILE* to, const weft::boot_step& step, int name_width) {
    const double us = std::chrono::duration<double, std::micro>(step.time).count();
    std::fprintf(to, "  %4d %9.1f  %-*.*s  m%-3" PRId64 "  %-15s  0x%012" PRIxPTR "%s%.*s\n", step.sequence, us,
                 name_width, static_cast<int>(step.name.size()), step.name.data(), step.m, stack_of(step).c_str(),
                 step.sp, step.detail.empty() ? "" : "  ", static_cast<int>(step.detail.size()), step.detail.data());
}

} // namespace

void print_boot(std::FILE* to, const std::vector<weft::boot_step>& steps) {
    std::vector<std::int32_t> threads;
    std::size_t name_width = 4;
    for (const weft::boot_step& step : steps) {
        if (std::ranges::find(threads, step.thread) == threads.end()) threads.push_back(step.thread);
        name_width = std::max(name_width, step.name.size());
    }
    std::fprintf(to, "start-up: %zu steps on %zu threads\n", steps.size(), threads.size());
    for (const std::int32_t thread : threads) {
        const auto first = std::ranges::find(steps, thread, &weft::boot_step::thread);
        std::fprintf(to, "\nthread %" PRId32 ", m%" PRId64 "\n  step   time/us  %-*s  m     %-15s  %-14s  what\n",
                     thread, first->m, static_cast<int>(name_width), "name", "stack", "sp");
        for (const weft::boot_step& step : steps)
            if (step.thread == thread) print_step(to, step, static_cast<int>(name_width));
    }
    std::fputc('\n', to);
}
