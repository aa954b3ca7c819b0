// SPDX-License-Identifier: MIT
// Everything that the runtime asks the operating system for, but futex. Go: os_linux.go.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <pthread.h>
#include <string>

#include "core/stack.hpp"

namespace weft::rt::os {

/// Monotonic time in nanoseconds. Go: nanotime.
std::int64_t nanotime() noexcept;

/// A patience that does not end, in ns.
inline constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();

/// nanotime() and ns more, or the largest number where that is more than one holds.
std::int64_t nanotime_after(std::int64_t ns) noexcept;

/// CPUs that the calling thread may run on, at least 1. Go: osinit, sched_getaffinity.
int cpu_count() noexcept;

/// CPUs that the control group of the process may use, in time, its parents' limits included; 0: no limit is known.
/// root is put before every path, for tests. Throws std::bad_alloc.
double cpu_quota(const std::string& root = {});
/// How many Ps for so many CPUs and such a quota: the quota rounded up, but not less than 2 where there are as many
/// CPUs. Go: defaultGOMAXPROCS, since 1.25.
int default_procs(int cpus, double quota) noexcept;

/// The kernel's id of the calling thread. Go: gettid.
std::int32_t thread_id() noexcept;

/// Exact bounds of the calling thread's stack; empty where the system does not tell. Go: pthread_getattr_np in
/// _cgo_getstackbound.
stack thread_stack() noexcept;

/// Blocks all signals of the calling thread while it lives. A new thread inherits what is blocked
/// where it is made, so no signal finds it without a g.
class block_signals {
public:
    block_signals() noexcept;
    ~block_signals();
    block_signals(const block_signals&) = delete;
    block_signals& operator=(const block_signals&) = delete;

private:
    sigset_t before_;
};

/// "QUIT" for SIGQUIT; its number where it has no name.
std::string signal_name(int number);
/// Whether a program may handle it.
bool may_be_handled(int number) noexcept;

/// Whether nothing happens when it comes and nobody has asked for anything. Source: signal(7).
bool ignored_by_default(int number) noexcept;

/// The calling thread's signal mask, and setting it.
sigset_t signal_mask() noexcept;
void set_signal_mask(const sigset_t& mask) noexcept;

/// Starts a thread at start(arg) on the given stack. 0 or an errno value.
int create_thread(pthread_t& thread, stack on, void* (*start)(void*), void* arg) noexcept;

/// Registers the process for heavy_barrier(); false where the kernel has none. Cheap when repeated.
/// Source: membarrier(2), MEMBARRIER_CMD_PRIVATE_EXPEDITED.
bool register_heavy_barrier() noexcept;
/// Every thread of the process that runs executes a full memory barrier before this returns; one that does not
/// run has executed one by being scheduled. Half a microsecond or so.
void heavy_barrier() noexcept;

/// CPU time that a thread of this process has used, in nanoseconds; −1 where the system does not tell.
std::int64_t thread_cpu_time(std::int32_t thread) noexcept;
/// Whether a thread of this process sleeps in the kernel; false where the system does not tell. Some microseconds.
/// Source: proc(5), /proc/[pid]/stat.
bool thread_sleeps(std::int32_t thread) noexcept;

/// Sends a signal with a value to a thread of this process; false if there is no such thread.
/// Source: rt_tgsigqueueinfo(2).
bool send_signal(std::int32_t thread, int number, void* value) noexcept;

/// The calling thread's errno. Its address belongs to the thread, and compilers keep it across calls: so where a
/// goroutine may have changed its thread, by these.
int get_errno() noexcept;
void set_errno(int value) noexcept;

/// Lets other threads of the system run. Go: osyield.
void yield_thread() noexcept;
void sleep_microseconds(std::uint32_t us) noexcept;

} // namespace weft::rt::os
