// SPDX-License-Identifier: MIT
// Taking Ps from goroutines that hold them too long. Go: retake.
#pragma once

#include <cstdint>

#include "sched/runtime_impl.hpp"
#include "sched/stall.hpp"

namespace weft::rt {

class retaker {
public:
    explicit retaker(runtime_impl& rt) : rt_(rt), stalls_(rt) {}

    /// One round over all Ps at the time now (nanotime). True: a P was taken, or the next look should come
    /// soon. sysmon only.
    bool round(std::int64_t now);

private:
    enum class verdict { leave, look_again, preempt, take };
    verdict judge(p* pp, const m* mp, std::int64_t now) const;
    bool begin_taking();
    void done_taking();
    void take(p* pp);
    static void preempt(p* pp, m* mp, std::int64_t now);

    runtime_impl& rt_;
    stall_watch stalls_;
};

} // namespace weft::rt
