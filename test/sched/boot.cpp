// SPDX-License-Identifier: MIT
// The boot record against the order that design/go-runtime.md, section 1, requires: which step, on which
// thread, on which stack. The same on every CPU.
#include <algorithm>
#include <map>
#include <mutex>
#include <pthread.h>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/trampolines.hpp"
#include "sched/m.hpp"
#include "sched/migrate.hpp"
#include "sched/runtime_impl.hpp"
#include "support/catch.hpp"
#include "weft/weft.hpp"

namespace {

using kind = weft::boot_step::stack_kind;
using steps = std::vector<weft::boot_step>;

/// Where the stacks of a run lay, as the test itself saw it.
struct seen {
    weft::rt::stack host;      // the calling thread's
    weft::rt::stack main;      // goroutine 1's
    weft::rt::stack sysmon_g0; // that of the m with id 1
    pid_t host_thread = 0;
};

weft::rt::stack thread_stack() {
    pthread_attr_t attr;
    void* lo = nullptr;
    std::size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) pthread_attr_getstack(&attr, &lo, &size);
    pthread_attr_destroy(&attr);
    const auto base = reinterpret_cast<std::uintptr_t>(lo);
    return {base, base + size};
}

// ThreadSanitizer does not see the runtime's own locks.
__attribute__((no_sanitize("thread"))) weft::rt::stack g0_of(weft::rt::runtime_impl& rt, std::int64_t id) {
    std::lock_guard hold(rt.sched.lock);
    for (weft::rt::m* mp = rt.allm; mp != nullptr; mp = mp->alllink)
        if (mp->id == id) return mp->g0->stk;
    return {};
}

steps boot(seen& where, int procs = 4) {
    weft::runtime rt(weft::options{.procs = procs});
    where.host = thread_stack();
    where.host_thread = sched_test::thread_id();
    rt.run([&] {
        const weft::rt::g* self = weft_getg();
        where.main = self->stk;
        where.sysmon_g0 = g0_of(*self->m->rt, 1);
    });
    return rt.boot_record();
}

std::string text(kind k) { return k == kind::os ? "os" : k == kind::g0 ? "g0" : "g"; }

/// "name stack" of every step that m took.
std::vector<std::string> of_m(const steps& all, std::int64_t m) {
    std::vector<std::string> names;
    for (const auto& s : all)
        if (s.m == m) names.push_back(std::string(s.name) + " " + text(s.stack));
    return names;
}

int sequence_of(const steps& all, std::string_view name, std::int64_t m) {
    for (const auto& s : all)
        if (s.name == name && s.m == m) return s.sequence;
    return -1;
}

} // namespace

TEST_CASE("boot: m0 takes Go's steps in Go's order, each on its stack") {
    seen where;
    const std::vector<std::string> expected{
        "rt0 os",     "osinit os", "schedinit os", "mcommoninit os", "procresize os",
        "newproc os", "mstart os", "mstart1 os",   "schedule os",    "execute os",
        "gogo os",    "main g",    "racectx g",    "mainStarted g",  "systemstack os",
        "newm os",    "allocm os", "newm1 os",     "newosproc os",   "main.main g",
    };
    CHECK(of_m(boot(where), 0) == expected);
}

TEST_CASE("boot: sysmon's thread begins at mstart_stub on the g0 that was made for it") {
    seen where;
    const std::vector<std::string> expected{"mstart_stub g0", "mstart g0", "mstart1 g0", "sysmon g0"};
    CHECK(of_m(boot(where), 1) == expected);
}

TEST_CASE("boot: nobody but m0 and m1 boots") {
    seen where;
    const steps all = boot(where);
    CHECK(of_m(all, 0).size() + of_m(all, 1).size() == all.size());
}

TEST_CASE("boot: the g0 of m1 is made on m0's thread, before m1's thread exists") {
    for (int i = 0; i < 20; i++) {
        seen where;
        const steps all = boot(where);
        const int made = sequence_of(all, "allocm", 0), asked_for = sequence_of(all, "newosproc", 0);
        const int begins = sequence_of(all, "mstart_stub", 1);
        CHECK(made >= 0);
        CHECK(made < asked_for);
        CHECK(asked_for < begins);
    }
}

TEST_CASE("boot: sequence numbers are complete, times do not go back, threads are as they were") {
    seen where;
    const steps all = boot(where);
    std::map<std::int32_t, std::chrono::nanoseconds> last;
    std::map<std::int64_t, std::set<std::int32_t>> threads;
    for (std::size_t i = 0; i < all.size(); i++) {
        CHECK(all[i].sequence == static_cast<int>(i));
        CHECK(all[i].time >= last[all[i].thread]);
        last[all[i].thread] = all[i].time;
        threads[all[i].m].insert(all[i].thread);
    }
    CHECK(threads[0] == std::set<std::int32_t>{where.host_thread});
    CHECK(threads[1].size() == 1);
    CHECK(*threads[1].begin() != where.host_thread);
}

TEST_CASE("boot: every step's sp lies on the stack that it says") {
    seen where;
    const steps all = boot(where);
    REQUIRE(where.main);
    REQUIRE(where.sysmon_g0);
    for (const auto& s : all) {
        INFO(s.name << " of m" << s.m << " on " << text(s.stack));
        CHECK(where.host.contains(s.sp) == (s.stack == kind::os));
        CHECK(where.main.contains(s.sp) == (s.stack == kind::goroutine));
        CHECK(where.sysmon_g0.contains(s.sp) == (s.stack == kind::g0));
        CHECK(s.g == (s.stack == kind::goroutine ? 1 : 0));
    }
}

TEST_CASE("boot: the same with one P") {
    seen one, four;
    CHECK(of_m(boot(one, 1), 0) == of_m(boot(four, 4), 0));
}

TEST_CASE("boot: once it is done nothing more is recorded") {
    weft::runtime idle(weft::options{.procs = 4}), busy(weft::options{.procs = 4});
    idle.run([] {});
    std::size_t at_start = 0;
    busy.run([&] {
        for (int i = 0; i < 2000; i++)
            weft::spawn([i] {
                if (i % 50 == 0) weft::this_goroutine::lock_os_thread();
                weft::yield();
            }).join();
        at_start = idle.boot_record().size();
    });
    CHECK(busy.boot_record().size() == at_start);
}

TEST_CASE("boot: each run has a record of its own; before the first there is none") {
    weft::runtime rt;
    CHECK(rt.boot_record().empty());
    rt.run([] {});
    const steps first = rt.boot_record();
    rt.run([] {});
    const steps second = rt.boot_record();
    CHECK(of_m(first, 0) == of_m(second, 0));
    REQUIRE_FALSE(second.empty());
    CHECK(second[0].sequence == 0);
}
