// SPDX-License-Identifier: MIT
// The scheduler's figures as a text, in the form of Go's GODEBUG=schedtrace. Go: schedtrace.
//
// What is not guarded by sched.lock is read while others change it: a figure may be old, a line need not fit the next.
#include <mutex>

#include "core/badstate.hpp"
#include "os/os.hpp"
#include "sched/proc.hpp"

namespace weft::rt {

namespace {

std::string field(const char* name, std::int64_t value) {
    std::string text = " ";
    text += name;
    text += "=";
    return text += std::to_string(value);
}

std::int64_t id_of(const m* mp) noexcept { return mp != nullptr ? mp->id : -1; }

std::string p_line(const p* pp) {
    // Go's numbers of a P's status; who owns one in an announced call says so itself.
    const m* mp = pp->m.seen();
    return "  P" + std::to_string(pp->id) + ":" + field("status", mp != nullptr ? 1 : 0) +
           field("schedtick", pp->schedtick) + field("syscalltick", pp->syscalltick.load(relaxed)) +
           field("m", id_of(mp)) + field("runqsize", pp->runq.size()) + field("gfreecnt", pp->gfree.size()) +
           field("timerslen", static_cast<std::int64_t>(pp->timers.size())) + "\n";
}

std::string m_line(const m* mp) {
    const p* pp = mp->p.seen();
    const g* curg = mp->curg.seen();
    const g* locked = mp->lockedg;
    return "  M" + std::to_string(mp->id) + ":" + field("p", pp != nullptr ? pp->id : -1) +
           field("curg", curg != nullptr ? static_cast<std::int64_t>(curg->goid) : -1) + field("locks", mp->locks) +
           (mp->spinning ? " spinning=true" : " spinning=false") +
           field("lockedg", locked != nullptr ? static_cast<std::int64_t>(locked->goid) : -1) + "\n";
}

std::string g_line(const g* gp) {
    const auto status = static_cast<int>(gp->status.load(relaxed));
    const bool entered = status == static_cast<int>(gstatus::entered);
    return "  G" + std::to_string(gp->goid) +
           ": status=" + std::to_string(entered ? static_cast<int>(gstatus::running) : status) + "(" +
           (status == static_cast<int>(gstatus::waiting) ? to_string(gp->reason) : "") + ")" +
           field("m", id_of(gp->m)) + field("lockedm", id_of(gp->lockedm)) + "\n";
}

} // namespace

std::string schedtrace(runtime_impl& rt, bool detailed) {
    schedt& sched = rt.sched;
    std::string text = "SCHED " + std::to_string((os::nanotime() - rt.started_ns) / 1'000'000) + "ms:";
    const std::lock_guard hold(sched.lock);
    text += field("gomaxprocs", rt.procs()) + field("idleprocs", sched.npidle.load(relaxed)) +
            field("threads", sched.mnext - sched.nmfreed) + field("spinningthreads", sched.nmspinning.load(relaxed)) +
            field("needspinning", sched.needspinning.load(relaxed)) + field("idlethreads", sched.nmidle) +
            field("runqueue", sched.runq.size());
    if (!detailed) {
        text += " [";
        for (const auto& pp : rt.allp) text += (pp->id > 0 ? " " : "") + std::to_string(pp->runq.size());
        return text += "]\n";
    }
    text += field("nmidlelocked", sched.nmidlelocked) + field("sysmonwait", sched.sysmonwait.load(relaxed)) + "\n";
    for (const auto& pp : rt.allp) text += p_line(pp);
    for (const m* mp = rt.allm; mp != nullptr; mp = mp->alllink) text += m_line(mp);
    return text;
}

std::string schedtrace_goroutines(runtime_impl& rt) {
    std::string text;
    rt.gs.for_each_locked([&](const g* gp) {
        const gstatus status = gp->status.load(relaxed);
        if (status != gstatus::dead && status != gstatus::idle) text += g_line(gp);
    });
    return text;
}

} // namespace weft::rt
