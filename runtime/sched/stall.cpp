// SPDX-License-Identifier: MIT
#include "sched/stall.hpp"

#include "core/badstate.hpp"
#include "sched/preempt.hpp"
#include "sched/proc.hpp"
#include "sched/traceback.hpp"

namespace weft::rt {

namespace {

void write_report(const stall_report& r) {
    std::string text = "weft: goroutine " + std::to_string(r.goroutine) + " has held its P for " +
                       std::to_string(r.duration.count() / 1'000'000) + " ms without a scheduling point";
    text += r.announced ? " (in an announced call)\n" : "\n";
    write_err((text + r.stack + r.created_by).c_str());
}

} // namespace

void stall_watch::look(const p* pp, std::int64_t since, std::int64_t now) {
    if (threshold_ <= 0 || now - since < threshold_) return;
    if (since == told_since_ || (told_at_ != 0 && now - told_at_ < between_reports_ns)) return;
    const m* mp = pp->m.seen();
    const g* gp = mp != nullptr ? mp->curg.seen() : nullptr;
    if (gp == nullptr) return;
    const gstatus status = gp->status.load(acquire);
    if (status != gstatus::running && status != gstatus::syscall) return;
    told_at_ = now;
    told_since_ = since;
    // Descriptors are type-stable: should it have ended just now, the report names the one that ended, and its stack
    // is empty. The stack first: what follows takes long.
    const std::uint64_t goid = gp->goid;
    const auto pcs = stack_of_running(mp, goid);
    const stall_report report{goid, std::chrono::nanoseconds(now - since), status == gstatus::syscall,
                              format_created_by(gp->gopc), format_traceback(pcs)};
    try {
        if (rt_.opts.on_stall)
            rt_.opts.on_stall(report);
        else
            write_report(report);
    } catch (...) {
        fatal_raw("weft: an exception left options::on_stall");
    }
}

} // namespace weft::rt
