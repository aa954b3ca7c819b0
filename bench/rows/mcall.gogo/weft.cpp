// SPDX-License-Identifier: MIT
// mcall.gogo, weft: a goroutine leaves for g0 by weft_mcall, and the function there continues it at once
// by weft_gogo. Timed: there and back. No peer has the pair as calls of its own.
#include "core/gobuf.hpp"
#include "core/trampolines.hpp"
#include "harness.hpp"
#include "sched/g.hpp"
#include <weft/weft.hpp>

namespace {

void back(weft::rt::g* gp) { weft_gogo(&gp->sched); }

} // namespace

int main() {
    weft::run(
        [] {
            bench::ns_per_op([](std::uint64_t n) {
                for (std::uint64_t i = 0; i < n; ++i) weft_mcall(back);
            });
        },
        {.procs = 1});
}
