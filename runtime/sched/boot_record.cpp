// SPDX-License-Identifier: MIT
#include "sched/boot_record.hpp"

#include <algorithm>

#include "core/trampolines.hpp"
#include "os/os.hpp"
#include "sched/m.hpp"

namespace weft::rt {

void boot_log::clear() noexcept {
    for (entry& e : entries_) e.written.store(false, relaxed);
    count_.store(0, relaxed);
    start_ns_ = os::nanotime();
}

void boot_log::step(const char* name, const char* detail) noexcept {
    const std::size_t i = count_.fetch_add(1, relaxed);
    if (i >= capacity) return;
    const g* gp = weft_getg();
    const auto sp = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    boot_step& s = entries_[i].step;
    s.sequence = static_cast<int>(i);
    s.time = std::chrono::nanoseconds(os::nanotime() - start_ns_);
    s.name = name;
    s.detail = detail;
    s.thread = gp != nullptr && gp->m != nullptr ? gp->m->thread_id.load(relaxed) : 0;
    s.sp = sp;
    s.m = gp != nullptr && gp->m != nullptr ? std::max<std::int64_t>(gp->m->id, 0) : 0; // m0 gets its id on the way
    s.g = gp != nullptr ? static_cast<std::int64_t>(gp->goid) : 0;
    const bool on_g0 = gp == nullptr || gp->m == nullptr || gp == gp->m->g0;
    if (!on_g0)
        s.stack = boot_step::stack_kind::goroutine;
    else
        s.stack = s.m == 0 ? boot_step::stack_kind::os : boot_step::stack_kind::g0;
    entries_[i].written.store(true, release);
}

std::vector<boot_step> boot_log::steps() const {
    std::vector<boot_step> all;
    const std::size_t n = std::min(count_.load(relaxed), capacity);
    for (std::size_t i = 0; i < n; i++)
        if (entries_[i].written.load(acquire)) all.push_back(entries_[i].step);
    return all;
}

} // namespace weft::rt
