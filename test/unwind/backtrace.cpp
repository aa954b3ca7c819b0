// SPDX-License-Identifier: MIT
// Backtraces by the unwinder that exceptions use, and by the C library's backtrace(), from every kind of
// stack, against the kept lists (gdb_bt.py says how they are read).
#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <execinfo.h>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <unwind.h>
#include <vector>

#include <weft/weft.hpp>

#include "booted.hpp"
#include "bt_program.hpp"
#include "sched/proc.hpp"
#include "support/catch.hpp"
#include "symbols.hpp"

using unwind::symbol_table;
using names = std::vector<std::string>;

namespace {

/// Frames as pcs inside their functions; fixed size, for signal handlers.
struct backtrace_pcs {
    std::array<std::uintptr_t, 64> pc{};
    std::size_t size = 0;
    bool ends = false; ///< at a frame whose caller is undefined
};

_Unwind_Reason_Code take_frame(_Unwind_Context* context, void* to) {
    auto& b = *static_cast<backtrace_pcs*>(to);
    const std::uintptr_t ip = _Unwind_GetIP(context);
    b.ends = ip == 0;
    if (b.ends || b.size == b.pc.size()) return _URC_END_OF_STACK;
    b.pc[b.size++] = ip - 1;
    return _URC_NO_REASON;
}

backtrace_pcs by_unwinder() {
    backtrace_pcs b;
    _Unwind_Backtrace(take_frame, &b);
    return b;
}

backtrace_pcs by_libc() {
    backtrace_pcs b;
    std::array<void*, 64> frames;
    b.size = static_cast<std::size_t>(backtrace(frames.data(), static_cast<int>(frames.size())));
    for (std::size_t i = 0; i < b.size; i++) b.pc[i] = reinterpret_cast<std::uintptr_t>(frames[i]) - 1;
    b.ends = true; // it cannot say
    return b;
}

bool ours(const std::string& name) { return name.rfind("weft_", 0) == 0 || name.rfind("bt_", 0) == 0; }

names names_of(const backtrace_pcs& b) {
    names found;
    for (std::size_t i = 0; i < b.size; i++) found.emplace_back(symbol_table::own().name_at(b.pc[i]));
    return found;
}

/// The frames of the hook are not part of any list.
names from_first_of_ours(names found) {
    found.erase(found.begin(), std::find_if(found.begin(), found.end(), ours));
    return found;
}

names kept(const std::string& list) {
    names lines;
    std::ifstream in(std::string(WEFT_REFERENCES) + "/" + list + ".txt");
    for (std::string line; std::getline(in, line);)
        if (!line.empty()) lines.push_back(line);
    REQUIRE(!lines.empty());
    return lines;
}

/// Whether the name is one of those in "A|B".
bool is_one_of(const std::string& name, const std::string& alternatives) {
    std::istringstream in(alternatives);
    for (std::string one; std::getline(in, one, '|');)
        if (one == name) return true;
    return false;
}

bool matches(const names& found, std::size_t f, const names& wanted, std::size_t w) {
    if (w == wanted.size()) return f == found.size();
    if (wanted[w] == "...")
        return matches(found, f, wanted, w + 1) ||
               (f < found.size() && !ours(found[f]) && matches(found, f + 1, wanted, w));
    return f < found.size() && is_one_of(found[f], wanted[w]) && matches(found, f + 1, wanted, w + 1);
}

void check(const backtrace_pcs& b, const std::string& list) {
    const names found = list == "thread" ? names_of(b) : from_first_of_ours(names_of(b));
    const names wanted = kept(list);
    INFO(list << ": wanted " << Catch::Detail::stringify(wanted) << "\nfound " << Catch::Detail::stringify(found));
    CHECK(matches(found, 0, wanted, 0));
    CHECK(b.ends);
}

struct both {
    backtrace_pcs unwinder;
    backtrace_pcs libc;
};
std::map<std::string, both> taken;
std::mutex taking; // an mcall orders nothing for ThreadSanitizer

void take(const char* list) {
    const both now{by_unwinder(), by_libc()};
    std::lock_guard hold(taking);
    taken[list] = now;
}

weft::options with(int procs) {
    weft::options o;
    o.procs = procs;
    return o;
}

backtrace_pcs of_signal;
std::atomic<bool> signal_came;

void take_in_signal(int) {
    of_signal = by_unwinder();
    signal_came = true;
}

/// Sends a signal to sysmon's thread, and waits until it has come. ThreadSanitizer does not know the runtime's locks.
__attribute__((no_sanitize("thread"))) void interrupt_sysmon() {
    weft::rt::runtime_impl& rt = *weft_getg()->m->rt;
    unwind::wait_for_sysmon(rt);
    {
        std::lock_guard hold(rt.sched.lock);
        for (weft::rt::m* mp = rt.allm; mp != nullptr; mp = mp->alllink)
            if (mp->mstartfn == weft::rt::sysmon && mp->has_thread) pthread_kill(mp->thread, SIGUSR1);
    }
    while (!signal_came) weft::yield();
}

} // namespace

TEST_CASE("backtraces from every stack that a goroutine gets to") {
    for (int procs : {1, 2}) {
        taken.clear();
        weft::run([] { unwind::visit_stacks(take); }, with(procs));
        for (const char* list : {"goroutine", "systemstack", "mcall", "spawned"}) {
            REQUIRE(taken.count(list) == 1);
            check(taken[list].unwinder, list);
            check(taken[list].libc, list);
        }
    }
}

TEST_CASE("a new thread's backtrace ends at mstart_stub") {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = take_in_signal;
    sigaction(SIGUSR1, &action, &before);
    signal_came = false;
    weft::run(interrupt_sysmon, with(1));
    sigaction(SIGUSR1, &before, nullptr);
    check(of_signal, "thread");
}
