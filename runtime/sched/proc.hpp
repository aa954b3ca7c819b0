// SPDX-License-Identifier: MIT
// The scheduler's functions, by file. Those marked [g0] run on a g0 only and do not return to their
// caller unless they say so; [any] run on a goroutine's stack too, which must be inside (entry.hpp). None may be called
// with sched.lock held unless its name ends in _locked. Go: proc.go.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "core/getg.hpp"
#include "core/trampolines.hpp"
#include "sched/entry.hpp"
#include "sched/g.hpp"
#include "sched/m.hpp"
#include "sched/runtime_impl.hpp"

namespace weft::rt {

// startup.cpp
void schedinit(m* mp);                    // [g0] Go: schedinit
void mcommoninit(m* mp, std::int64_t id); // [any] Go: mcommoninit; id −1 takes the next

// procresize.cpp
void procresize(runtime_impl& rt, std::int32_t procs); // [g0] the first ones; m0 gets P0. Go: procresize
std::unique_ptr<stack_pool> make_stack_pool(const options& opts, std::int32_t procs); // any thread
/// Any thread that has the gate, outside if it is a goroutine: n Ps from now on, 1 … max_procs; returns how many there
/// were. Where the run ends meanwhile, nothing changes. Throws bad_alloc. Go: GOMAXPROCS(n).
std::int32_t set_procs(runtime_impl& rt, std::int32_t n);

// switch.cpp: the crossings between goroutines and g0, with what travels along
void mcall(void (*fn)(g*), bool dies = false);  // goroutine, inside; returns, outside, when continued. Go: mcall
m* landed(g* gp) noexcept;                      // [g0] the first thing in every function that mcall runs
[[noreturn]] void gogo(g* gp) noexcept;         // [g0] Go: gogo
void systemstack(void (*fn)(void*), void* arg); // [any] Go: systemstack
template <class F>
void on_systemstack(F&& f) {
    systemstack([](void* f_) { (*static_cast<std::remove_reference_t<F>*>(f_))(); }, &f);
}
// more of it inline in switch.hpp

// newproc.cpp
g* newg(p* pp, std::uintptr_t gopc); // [any] a dead descriptor with its stack promised; throws bad_alloc
// [any] the same with storage for so much; mp is the caller's; throws bad_alloc
g* newg_for(m* mp, std::size_t size, std::size_t align, bool joinable, std::uintptr_t gopc);
void dropg(p* pp, g* gp) noexcept;                     // [any] gives an unused descriptor back
void dropg_anywhere(runtime_impl& rt, g* gp) noexcept; // any thread; the same
/// Any thread: a dead descriptor without a stack, and back. Throws bad_alloc.
g* newg_anywhere(runtime_impl& rt, std::uintptr_t gopc);
void gfput_anywhere(runtime_impl& rt, g* gp) noexcept;
void newproc(m* mp, g* gp, void (*run)(g*, void*)) noexcept; // [any] Go: newproc
/// Any thread, with the runtime's gate held: t as a goroutine. Throws bad_alloc.
void newproc_anywhere(runtime_impl& rt, std::unique_ptr<detail::task> t, std::uintptr_t gopc);
void abandon_task(g* gp) noexcept;      // teardown: gp has not ended; if another thread waits for it, it is told
void gfput(p* pp, g* gp) noexcept;      // [any] Go: gfput
void need_stack(p* pp, g* gp) noexcept; // [any] gives a fresh goroutine its stack and its first context
std::int64_t live_goroutines(runtime_impl& rt) noexcept; // exact when nobody runs

// storage.cpp
// [any] Inline or from the heap; mp is the caller's. Throws bad_alloc.
void make_storage(const m* mp, g* gp, std::size_t size, std::size_t align);
void free_storage(g* gp) noexcept;   // [any] what it held is destroyed already
void destroy_result(g* gp) noexcept; // goroutine or host thread: runs the program's destructor

// schedule.cpp
[[noreturn]] void schedule();                                        // [g0] Go: schedule
[[noreturn]] void execute(m* mp, g* gp, bool inherit_time) noexcept; // [g0] Go: execute
g* findrunnable(m* mp, bool& inherit_time);                          // [g0] returns; Go: findrunnable
void runqput(p* pp, g* gp, bool next) noexcept;                      // [any] owner of pp; Go: runqput
void globrunqput(runtime_impl& rt, g* gp) noexcept;                  // [any] Go: globrunqput
void run_timers(p* pp, timers& ts);     // [g0] returns; fires what is due, on pp, which is the caller's
bool global_queue_turn(p* pp) noexcept; // [any] owner of pp, at global_tick: whether g0 is to see to it
bool only_main_lives_locked(runtime_impl& rt, const p* mine) noexcept; // [any] all other goroutines have ended
inline constexpr std::uint32_t global_queue_interval = 61;             // Go: schedtick%61

/// Debug builds in which every scheduling point moves the goroutine to another thread where it can.
#ifdef WEFT_FORCE_MIGRATION
inline constexpr bool force_migration = true;
#else
inline constexpr bool force_migration = false;
#endif

/// Whether a switch never takes the shortest way: force_migration, a sanitizer, or the trap for mutexes. Any thread.
bool always_by_g0() noexcept; // switch.cpp

// steal.cpp
std::int32_t
before_taking(m* mp) noexcept;    // [g0] returns how many to take from the global queue, 0 = no bound; may nap
void note_taking(m* mp) noexcept; // [g0] what its P has got now comes from others
g* stealwork(m* mp) noexcept;     // [g0] returns; for a spinning m with a P. Go: stealWork

// timer_sleep.cpp, and see timers.hpp
bool sleep_for_timers(m* mp); // [g0] returns; without a P. True: go on, with a P or because the runtime stops

// wake.cpp
void wakep(runtime_impl& rt);                        // [any] Go: wakep
void wake_after_put(p* pp);                          // [any] submitter's half of the wake-up protocol
void startm(runtime_impl& rt, p* pp, bool spinning); // [any] Go: startm
void stopm(m* mp);                                   // [g0] returns with a P, or when the runtime stops; Go: stopm
void sleep_parked(m* mp);                            // [g0] until wake_parked; takes the P that came with it
void wake_parked(m* mp);                // [any] its nextp was set under sched.lock. Go: notewakeup(&mp.park)
void handoffp(runtime_impl& rt, p* pp); // [any] Go: handoffp
void leaving_locked(m* mp) noexcept;    // mp has no P any more, and will come to stopm
void staying_locked(m* mp) noexcept;    // or not, or it is there
p* wanting_locked(m* mp) noexcept;      // a P that waits for an m on its way to stopm: mp's now, which stays; or null
void set_clocks(runtime_impl& rt, std::int64_t now) noexcept; // any thread that may go over allp; p::seconds
void become_spinning(m* mp) noexcept;
void resetspinning(m* mp);
void acquirep(m* mp, p* pp) noexcept;
p* releasep(m* mp) noexcept;
p* pidleget_locked(runtime_impl& rt) noexcept;
p* pidleget_spinning_locked(runtime_impl& rt) noexcept;
void pidleput_locked(runtime_impl& rt, p* pp) noexcept;
void checkdead_locked(runtime_impl& rt); // Go: checkdead

// attach.cpp
/// With the runtime's gate, which is open: makes the calling thread, which is none, a goroutine. Throws bad_alloc, and
/// std::runtime_error where there are too many threads.
g* attachm(runtime_impl& rt, std::uintptr_t gopc);
void detachm(runtime_impl& rt, g* gp) noexcept; // the same thread, outside, with the gate
std::int32_t attachments(runtime_impl& rt) noexcept;
inline unsigned forks = 0; // calls of after_fork_in_child, by the only thread of the process

// thread.cpp
m* allocm_for_host(runtime_impl& rt);         // any thread: an m with a g0, on no list; throws bad_alloc
void freem(runtime_impl& rt, m* mp) noexcept; // any thread: on no list any more, and nobody on its g0
void newm(runtime_impl& rt, void (*fn)(), p* pp, std::int64_t id); // [any] Go: newm
void make_threads_left_to_sysmon(runtime_impl& rt);                // sysmon, which is Go's template thread, too
[[noreturn]] void mexit(m* mp);                                    // [g0] leaves mstart; Go: gogo(&g0.sched), mexit
void stop_world_for_good(runtime_impl& rt);                        // [g0] returns; wakes every m so that it exits
std::int64_t threads_left_locked(const runtime_impl& rt) noexcept; // any thread: so many until options::max_threads
void join_threads(runtime_impl& rt);                               // the thread that runs runtime::run

// world.cpp
/// With the gate and rt.world. own: of a goroutine of rt, which is inside, its P; null for other threads. False: the
/// runtime stops, or it took longer than patience; then the world goes on.
bool stop_the_world(runtime_impl& rt, std::int64_t patience_ns, const p* own);
void put_stopped_locked(runtime_impl& rt, p* pp) noexcept; // any thread: into the stopper's hand
void start_the_world(runtime_impl& rt);
/// For the end of the process: the world does not go on, whether it could be stopped or not. own: the caller's own P,
/// if it is inside, or null. Any thread. Go: freezetheworld.
bool freeze_the_world(runtime_impl& rt, std::int64_t patience_ns, const p* own);
void gcstopm(m* mp); // [g0] returns with a P, or when the runtime stops. Go: gcstopm

// park.cpp
void gopark(bool (*unlockf)(g*, void*), void* lock, wait_reason reason); // goroutine, inside; leaves. Go: gopark
void ready(g* gp);                                                       // [any] inside. Go: goready
void ready_on(p* pp, g* gp); // [any] the same for one that owns pp and must not look at its g

// syscall.cpp
void reacquire_p(g* gp) noexcept; // goroutine, inside, whose m has no P; returns, outside perhaps, when it has got one

// lockosthread.cpp
void stoplockedm(m* mp);         // [g0] returns with a P, or when the runtime stops
void startlockedm(m* mp, g* gp); // [g0] returns

// sysmon.cpp
void sysmon(); // mstartfn of an m without P; returns when the runtime stops

// schedtrace.cpp
std::string schedtrace(runtime_impl& rt, bool detailed); // any thread; not under sched.lock
std::string schedtrace_goroutines(runtime_impl& rt);     // the same

// panic.cpp
[[noreturn]] void fatal(const char* what, const std::string& before = {}); // [any] Go: throw, fatal; exit status 2
[[noreturn]] void quit(runtime_impl& rt); // sysmon: options::quit_signal has come; exit status 2
void tell_deadlock(runtime_impl& rt);     // [g0], or a thread of the host's; calls options::on_deadlock
[[noreturn]] void panic_uncaught(g* gp, const std::exception_ptr& e); // an exception nobody will look at

} // namespace weft::rt
