// SPDX-License-Identifier: MIT
// One runtime: what Go keeps in the globals sched, allp, allm, allgs. Go: runtime2.go, type schedt.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "atomic.hpp"
#include "core/futex_mutex.hpp"
#include "core/stack.hpp"
#include "sched/allp.hpp"
#include "sched/boot_record.hpp"
#include "sched/debugvars.hpp"
#include "sched/g.hpp"
#include "sched/gpool.hpp"
#include "sched/gqueue.hpp"
#include "sched/m.hpp"
#include "sched/note.hpp"
#include "weft/runtime.hpp"

namespace weft::rt {

/// Go: schedt. Fields that are not atomic are guarded by lock.
struct schedt {
    futex_mutex<lock_rank::sched> lock;

    m* midle = nullptr; // ms that sleep and have no work
    std::int32_t nmidle = 0;
    std::int32_t nmidlelocked = 0; // locked ms that wait for their goroutine
    std::int32_t nleaving = 0;     // ms on their way to stopm: the only ones to be had at max_threads
    p* pwanting = nullptr;         // Ps for them
    std::int32_t nwanting = 0;
    std::int64_t mnext = 0;           // ms made so far, and the next id
    std::int64_t nmfreed = 0;         // ms that have exited
    atomic<m*> newm_handoff{nullptr}; // written under lock; ms that wait for sysmon to make their threads (thread.cpp)
    std::int32_t nmsys = 0;           // system ms, not counted for deadlocks
    std::int32_t external = 0;        // external_wakers: while there is one, nothing is a deadlock
    bool deadlock_told = false;       // options::on_deadlock has been called for this one
    atomic<std::int64_t> foreign{0};  // as live_delta, of threads without a P; written under lock
    atomic<std::uint64_t> posted{0};  // goroutines that such threads made; written under lock

    p* pidle = nullptr;
    atomic<std::int32_t> npidle{0};     // written under lock; seq_cst in the wake-up protocol (wake.cpp)
    atomic<std::int32_t> nmspinning{0}; // seq_cst, as above
    atomic<std::int32_t> needspinning{0};
    atomic<std::int32_t> nnapping{0}; // ms that nap before they steal (steal.cpp); a hint

    gqueue runq;                      // has room for all gcount goroutines
    std::uint32_t gcount = 0;         // descriptors made
    atomic<std::int32_t> runqsize{0}; // copy of runq.size() for looks without the lock

    glist gfree;
    atomic<std::int32_t> gfreesize{0}; // copy of gfree.size() for looks without the lock

    atomic<bool> sysmonwait{false}; // written under lock
    note sysmonnote;

    atomic<bool> has_sleeper{false};       // timer_sleep.cpp
    atomic<std::int64_t> sleeper_until{0}; // when it wakes; 0: it is about to look
    note sleepernote;

    atomic<bool> gcwaiting{false}; // written under lock; somebody stops the world (world.cpp)
    p* stopped = nullptr;          // Ps in the stopper's hand
    std::int32_t nstopped = 0;
    note stopnote;

    std::int32_t attached = 0;       // threads of the host's that are goroutines; m0 is none
    bool main_awaits_detach = false; // main has returned and waits until there are none

    bool main_waits = false;      // main has returned and waits for the others (at_exit::join)
    atomic<bool> stopping{false}; // written under lock; every m leaves when it sees it
};

/// What sysmon asks an m for: the frames of the goroutine that it runs. One at a time; preempt.cpp has the steps.
struct stack_request {
    static constexpr std::size_t most = 64;
    atomic<const m*> of{nullptr};
    std::array<std::uintptr_t, most> pcs{};
    std::size_t count = 0;
    std::uint64_t goid = 0;
    atomic<bool> done{false};
};

class retaker;

struct runtime_impl {
    runtime_impl(const options& o, std::int32_t procs);
    ~runtime_impl();

    /// Ps in use. Go: gomaxprocs.
    std::int32_t procs() const noexcept { return allp.size(); }

    /// What p::seconds is at a nanotime.
    std::uint32_t seconds_at(std::int64_t now) const noexcept {
        return static_cast<std::uint32_t>((now - started_ns) / 1'000'000'000);
    }

    const options opts;
    const std::int32_t first_procs; // allp has the present number
    const debug_vars debug = read_debug_vars();
    std::int64_t started_ns = 0; // constant once booted; nanotime
    bool asymmetric = false;     // constant once booted: who rarely needs a StoreLoad pays for both (os::heavy_barrier)

    schedt sched;
    p_list allp;
    m* allm = nullptr;  // sched.lock
    m* mfree = nullptr; // sched.lock; their threads have ended
    std::unique_ptr<m> m0;
    std::unique_ptr<g> m0_g0;
    sigset_t sigmask{};              // constant; what threads unblock: the mask of the thread that called run
    std::unique_ptr<retaker> retake; // sysmon's; made by m0, for a first malloc on another thread maps an arena
    bool main_started = false;       // written by main before another m exists
    atomic<std::uint64_t> goidgen{0};
    g* main_g = nullptr;

    gpool gs;
    std::unique_ptr<stack_pool> stacks;
    boot_log boot;

    futex_mutex<lock_rank::world> world; // who stops the world; taken outside (world.cpp)
    atomic<bool> quit_wanted{false};     // options::quit_signal has come
    stack_request wanted_stack;
    atomic<std::uint64_t> preemptions{0}; // by preempt.cpp; for tests
    atomic<std::uint64_t> refusals{0};    // the same: signals that came at a wrong moment
    atomic<bool> force_retake{false};     // for tests: sysmon takes every P that it can, and never naps for long

    /// What threads of the host's may do: nothing yet; all; only let go; nothing any more.
    enum class gate_state { booting, open, closed, ended };
    gate_state gate = gate_state::booting; // gate_lock
    runtime* host = nullptr;               // constant; what the program holds
    std::mutex* gate_lock = nullptr;       // constant; runtime::gate_
    std::uint64_t run = 0;                 // constant; the number of the run in its process

    const std::function<void()>* main = nullptr;
    std::exception_ptr main_exception;
    bool main_ended = false;           // by main, before its thread is joined
    atomic<std::int32_t> panicking{0}; // the thread that prints a panic; others wait for the end
};

} // namespace weft::rt
