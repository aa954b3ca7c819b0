// SPDX-License-Identifier: MIT
// Reports of goroutines that hold a P for long without a scheduling point. Go has none.
#pragma once

#include <cstdint>

#include "sched/runtime_impl.hpp"

namespace weft::rt {

/// sysmon's; one for a runtime.
class stall_watch {
public:
    explicit stall_watch(runtime_impl& rt) : rt_(rt), threshold_(rt.opts.stall_threshold.count()) {}

    /// pp's owner has not switched since then. Reports that, if it is long enough, and once for the same stall.
    void look(const p* pp, std::int64_t since, std::int64_t now);

private:
    static constexpr std::int64_t between_reports_ns = 1'000'000'000;

    runtime_impl& rt_;
    const std::int64_t threshold_;
    std::int64_t told_at_ = 0;    // nanotime
    std::int64_t told_since_ = 0; // the stall that was reported last
};

} // namespace weft::rt
