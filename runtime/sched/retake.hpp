// SPDX-License-Identifier: MIT
// Taking Ps from goroutines that hold them too long. Go: retake.
#pragma once

#include <cstdint>
#include <vector>

#include "sched/runtime_impl.hpp"
#include "sched/stall.hpp"

namespace weft::rt {

/// What sysmon saw of a P when it last looked, and since when it has not changed. Go: sysmontick.
struct sysmontick {
    const m* on = nullptr;
    std::uint32_t schedtick = 0;
    std::uint32_t syscalltick = 0;
    std::int64_t since = 0;    // nanotime when schedtick was new
    std::int64_t syscall = 0;  // nanotime when syscalltick was new
    std::int64_t cpu_time = 0; // of the m's thread
};

class retaker {
public:
    explicit retaker(runtime_impl& rt) : rt_(rt), stalls_(rt), ticks_(rt.allp.size()) {}

    /// One round over all Ps at the time now (nanotime). True: a P was taken, or the next look should come
    /// soon. sysmon only.
    bool round(std::int64_t now);

private:
    enum class verdict { leave, look_again, take };
    verdict judge(const p* pp, const m* mp, sysmontick& tick, std::int64_t now) const;
    bool begin_taking();
    void done_taking();
    void take(p* pp, sysmontick& tick);

    runtime_impl& rt_;
    stall_watch stalls_;
    std::vector<sysmontick> ticks_; // by P
};

} // namespace weft::rt
