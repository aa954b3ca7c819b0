// SPDX-License-Identifier: MIT
// The world stands while frames are collected, and goes on while they are given names, which takes longer.
#include "sched/dump.hpp"

#include <cstdio>
#include <mutex>

#include "os/os.hpp"
#include "sched/layout_note.hpp"
#include "sched/proc.hpp"
#include "sched/traceback.hpp"

namespace weft::rt {

namespace {

constexpr const char* text_of(gstatus s) noexcept {
    switch (s) {
    case gstatus::idle: return "idle";
    case gstatus::runnable: return "runnable";
    case gstatus::entered: // inside the runtime, which is running to everybody else
    case gstatus::running: return "running";
    case gstatus::syscall: return "syscall";
    case gstatus::waiting: return "waiting";
    case gstatus::dead: return "dead";
    }
    return "?";
}

constexpr const char* text_of(wait_reason r) noexcept {
    switch (r) {
    case wait_reason::none: return "waiting";
    case wait_reason::join: return "join";
    case wait_reason::wait_group: return "sync.WaitGroup.Wait";
    case wait_reason::main_exit: return "main returned, waiting for goroutines";
    case wait_reason::parked: return "park";
    case wait_reason::sleep: return "sleep";
    }
    return "waiting";
}

std::string status_of(const g* gp) {
    const gstatus s = gp->status.load(relaxed);
    return s == gstatus::waiting ? to_string(gp->reason) : text_of(s);
}

constexpr std::int64_t patience_at_end_ns = 10'000'000;

struct goroutine_trace {
    std::string header;
    std::vector<std::uintptr_t> pcs;
    const char* instead; ///< of frames, where there are none
    std::uintptr_t gopc;
    std::string awaited; ///< a line, or nothing
};

/// What one that waits waits for, where that is known. Go has no such line.
std::string awaited(const g* gp) {
    if (gp->waiting_for == nullptr) return {};
    if (gp->reason == wait_reason::join)
        return "waits for goroutine " + std::to_string(static_cast<const g*>(gp->waiting_for)->goid) + "\n";
    char text[48];
    std::snprintf(text, sizeof text, "waits for %p\n", gp->waiting_for);
    return text;
}

bool lives(gstatus status) noexcept { return status != gstatus::dead && status != gstatus::idle; }

/// One that does not run, while nobody can make it.
goroutine_trace trace_of(const g* gp, bool stopped) {
    const gstatus status = gp->status.load(acquire);
    goroutine_trace t{goroutine_header(gp), {}, "", gp->gopc, status == gstatus::waiting ? awaited(gp) : ""};
    if (status != gstatus::waiting && status != gstatus::runnable)
        t.instead = "\tgoroutine running on other thread; stack unavailable\n";
    else if (!stopped)
        t.instead = "\tthe scheduler could not be stopped; stack unavailable\n";
    else if (gp->stk && (gp->special & special::fresh) == 0)
        t.pcs = callers_of(gp->sched);
    return t;
}

std::vector<goroutine_trace> trace_all(runtime_impl& rt, const g* but, bool stopped) {
    std::vector<goroutine_trace> all;
    rt.gs.for_each_locked([&](const g* gp) {
        if (gp != but && lives(gp->status.load(acquire))) all.push_back(trace_of(gp, stopped));
    });
    return all;
}

/// Each after an empty line.
std::string format(const std::vector<goroutine_trace>& all) {
    std::string text;
    for (const goroutine_trace& t : all) {
        text += '\n';
        text += t.header;
        text += t.instead;
        text += format_traceback(t.pcs);
        text += format_created_by(t.gopc);
        text += t.awaited;
    }
    return text;
}

} // namespace

const char* to_string(wait_reason r) noexcept { return text_of(r); }

// Used: by asm, which link-time optimisation does not see.
[[gnu::used]] const text_table<16, 16> weft_status_texts = make_text_table<gstatus, 16, 16>(text_of);
[[gnu::used]] const text_table<32, 48> weft_reason_texts = make_text_table<wait_reason, 32, 48>(text_of);

namespace {

/// ", 3 minutes" of one that waits, as Go has it, and nothing in the first minute.
std::string wait_time(const g* gp) {
    const std::uint32_t now = gpool::runtime_of(gp)->seconds_at(os::nanotime());
    const std::uint32_t minutes = now > gp->waitsince ? (now - gp->waitsince) / 60 : 0;
    return minutes == 0 ? "" : ", " + std::to_string(minutes) + " minutes";
}

} // namespace

std::string goroutine_header(const g* gp) {
    std::string text = "goroutine ";
    text += std::to_string(gp->goid);
    text += " [";
    text += status_of(gp);
    const gstatus status = gp->status.load(relaxed);
    if (status == gstatus::waiting) text += wait_time(gp);
    if (gp->lockedm != nullptr) text += ", locked to thread";
    text += "]";
    const bool stands_still = status == gstatus::waiting || status == gstatus::runnable;
    if (gp->mark == gmark::named && (stands_still || gp == current_goroutine())) {
        text += " \"";
        text += gp->name;
        text += "\"";
    }
    return text += ":\n";
}

std::string dump_at_end(runtime_impl& rt, const g* current, const std::vector<std::uintptr_t>& pcs) {
    std::vector<goroutine_trace> all;
    if (current != nullptr) all.push_back({goroutine_header(current), pcs, "", current->gopc, {}});
    // A P that the caller uses stays with it.
    const g* self = weft_getg();
    const bool outside = self != nullptr && self->status.load(relaxed) == gstatus::running && self != self->m->g0;
    const p* own = self != nullptr && self->m != nullptr && !outside ? self->m->p.seen() : nullptr;
    const bool stopped = freeze_the_world(rt, patience_at_end_ns, own);
    std::vector<goroutine_trace> others = trace_all(rt, current, stopped);
    return format(all) + format(others);
}

std::string dump_stopped(runtime_impl& rt) { return format(trace_all(rt, nullptr, true)); }

std::string list_survivors(runtime_impl& rt) {
    std::string text;
    rt.gs.for_each_locked([&](const g* gp) {
        const gstatus status = gp->status.load(acquire);
        if (status != gstatus::running && status != gstatus::syscall) return;
        text += '\n';
        text += goroutine_header(gp);
        text += format_created_by(gp->gopc);
    });
    return text;
}

std::string dump(runtime_impl& rt, std::int64_t patience_ns) {
    g* self = current_goroutine();
    if (self != nullptr && self->m->rt != &rt) self = nullptr;
    std::vector<goroutine_trace> all;
    if (self != nullptr) all.push_back({goroutine_header(self), callers(false), "", self->gopc, {}});
    const std::lock_guard one_at_a_time(rt.world);
    if (self != nullptr) enter(self);
    on_systemstack([&] {
        const bool stopped = stop_the_world(rt, patience_ns, self != nullptr ? self->m->p.seen() : nullptr);
        std::vector<goroutine_trace> others = trace_all(rt, self, stopped);
        if (stopped) start_the_world(rt);
        for (goroutine_trace& t : others) all.push_back(std::move(t));
    });
    if (self != nullptr) leave(self);
    return format(all);
}

} // namespace weft::rt
