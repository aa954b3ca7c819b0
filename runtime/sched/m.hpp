// SPDX-License-Identifier: MIT
// m: an operating system thread. p: the right to run goroutines. Go: runtime2.go, types m and p.
#pragma once

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <pthread.h>
#include <thread>

#include "atomic.hpp"
#include "sched/g.hpp"
#include "sched/gqueue.hpp"
#include "sched/note.hpp"
#include "sched/runq.hpp"
#include "sched/timers.hpp"

namespace weft::detail {
class region;
}

namespace weft::rt {

struct runtime_impl;
struct m;

/// Go: _Pidle …; same numbers. A P is idle on sched.pidle, or running: owned by the m in p.m.
enum class pstatus : std::uint32_t { idle = 0, running = 1, syscall = 2, gcstop = 3, dead = 4 };

/// What sysmon saw of a P when it last looked, and since when it has not changed. Go: sysmontick.
struct sysmontick {
    const m* on = nullptr;
    std::uint32_t schedtick = 0;
    std::uint32_t syscalltick = 0;
    std::int64_t since = 0;     // nanotime when schedtick was new
    std::int64_t syscall = 0;   // nanotime when syscalltick was new
    std::int64_t cpu_time = 0;  // of the m's thread
    std::int64_t signalled = 0; // nanotime of the last preemptone
};

/// Access: all but the queue and the atomics belongs to the m that owns the P.
struct alignas(cpu::cache_line) p {
    static constexpr std::uint32_t stack_cache = 32;  ///< room for hot stacks
    static constexpr std::uint32_t credit_batch = 32; ///< so many promises of stacks move from and to the pool
    /// How many of them a P keeps: all, unless so many Ps would hold more than most_spare_stacks.
    static std::uint32_t stacks_kept(int procs) noexcept {
        constexpr std::uint32_t most_spare_stacks = 8192;
        return std::clamp(most_spare_stacks / static_cast<std::uint32_t>(procs), 2u, stack_cache);
    }

    // First line: what every switch looks at.
    owned_ptr<rt::m> m;
    runtime_impl* rt = nullptr;
    /// Switches must go through g0 and schedule(): the runtime stops, a sanitizer follows the stacks,
    /// or the build migrates goroutines at every chance.
    atomic<bool> attention{false};
    bool watched = false;          ///< a sanitizer wants to be told of goroutines and stacks
    bool solo = false;             ///< the runtime has one P now: nobody steals, nobody is to be woken
    bool wakes = false;            ///< who puts work on the queue looks for an idle P: not solo, and main has started
    std::uint32_t schedtick = 0;   ///< one more at each switch that does not inherit its time slice
    std::uint32_t global_tick = 0; ///< at this schedtick the global queue is served first
    eh_globals* eh = nullptr;      ///< its m's
    glist gfree;                   ///< dead goroutines, no more than gfree_high

    // Second line: birth and death.
    std::uint32_t nstacks = 0;
    std::uint32_t most_stacks = stack_cache; ///< stacks_kept; constant but when procs changes
    std::uint32_t stack_credit = 0;          ///< promises of stack_pool::reserve not yet used
    /// At so many some go back to the pool; 1 once the address space was full. Any P's owner may lower it.
    atomic<std::uint32_t> credit_limit{2 * credit_batch};
    std::uint64_t goid = 0; ///< next number of this P's batch
    std::uint64_t goid_end = 0;
    atomic<std::int64_t> live_delta{0}; ///< goroutines made minus ended here; see live_goroutines
    p* link = nullptr;                  ///< sched.lock; on sched.pidle
    std::int32_t id = 0;
    atomic<pstatus> status{pstatus::idle};
    atomic<std::uint32_t> syscalltick{0}; ///< announced system calls
    /// A clock for gopark: since the start of the run, written by sysmon and by whoever ends its sleep.
    atomic<std::uint32_t> seconds{0};

    std::array<stack, stack_cache> stacks{}; ///< hot stacks; the last put is the first taken

    rt::timers timers;

    rt::runq<g> runq;

    alignas(cpu::cache_line) sysmontick seen; ///< sysmon's
};

/// What an m remembers of the last time it stole; see steal.cpp.
struct steal_memory {
    std::int64_t at = 0;      // nanotime, or 0: already judged
    const p* on = nullptr;    // with which P
    std::uint32_t tick = 0;   // its schedtick then
    std::uint32_t nap_us = 0; // before it steals again
    bool woken = false;       // it has slept since
};

/// Bits of m::claim, by which somebody else takes an m's P: entry.hpp.
namespace claim {
inline constexpr std::uint32_t free = 0;
inline constexpr std::uint32_t claimed = 1;   ///< a taker is looking
inline constexpr std::uint32_t lost = 2;      ///< the P was taken
inline constexpr std::uint32_t sleeps = 4;    ///< claimed, and the owner waits in the kernel
inline constexpr std::uint32_t symmetric = 8; ///< constant: there is no membarrier(2)
} // namespace claim

/// Access: "self" is the m's own thread; fields marked sched.lock are guarded by it. Memory stays while the
/// runtime lives: a taker may look at an m that has let go of its P.
struct m {
    g* g0 = nullptr;                          // constant; the asm reads it
    owned_ptr<g> curg;                        // self; the asm reads it
    owned_ptr<rt::p> p;                       // self, or a taker; null: no right to run goroutines
    atomic<std::uint32_t> claim{claim::lost}; // entry.hpp; lost from before it is made anew until mcommoninit
    bool watched = false;                     // constant; a sanitizer wants to be told of goroutines and stacks
    runtime_impl* rt = nullptr;               // constant
    rt::p* nextp = nullptr;                   // given by whoever wakes the m, before the note
    std::int64_t id = -1;                     // constant
    eh_globals* eh = nullptr;                 // constant once it runs: this thread's
    std::int32_t locks = 0;                   // self; > 0: must not be descheduled
    bool spinning = false;                    // self, or whoever wakes it; looks for work and is counted in nmspinning
    bool leaving = false;                     // sched.lock; it has given its P away and is on its way to stopm
    bool blocked = false;                     // self; sleeps on park

    // preempt.cpp.
    atomic<detail::region*> region{nullptr}; // self; its handler and sysmon look
    atomic<bool> preempt{false};             // sysmon asks, the handler answers

    // gopark's order to park_m.
    bool (*waitunlockf)(g*, void*) = nullptr;
    void* waitlock = nullptr;

    g* lockedg = nullptr;         // self; the goroutine tied to this thread
    std::uint32_t locked_ext = 0; // self; depth of lock_os_thread
    note park;
    std::uint32_t random = 1; // self; order of stealing
    steal_memory last_steal;  // self

    void (*mstartfn)() = nullptr;      // constant; what it does before it schedules: sysmon, or nothing
    void* procctx = nullptr;           // constant once it runs; the thread's own ThreadSanitizer fiber
    pthread_t thread{};                // sched.lock; valid when has_thread
    atomic<std::int32_t> thread_id{0}; // constant once it runs
    std::thread host_thread;           // as thread, where options::make_thread made it
    bool has_thread = false;           // sched.lock
    bool joined = false;               // sched.lock; somebody joins or has joined its thread
    atomic<bool> exited{false};        // its thread is about to end
    bool attached = false;  // constant; the thread is the host's, and always tied to its goroutine (attach.cpp)
    bool boots = false;     // constant; its first steps belong to the boot record
    m* schedlink = nullptr; // sched.lock; on sched.midle
    m* alllink = nullptr;   // sched.lock; on allm
    sigset_t sigmask{};     // constant; what its thread unblocks
    eh_globals host_eh{};   // m0: the caller's, while the runtime has its thread
};

static_assert(offsetof(m, g0) == M_G0);
static_assert(offsetof(m, curg) == M_CURG && sizeof(owned_ptr<g>) == sizeof(g*));

} // namespace weft::rt
