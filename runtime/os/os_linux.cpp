// SPDX-License-Identifier: MIT
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <limits>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/badstate.hpp"
#include "os/os.hpp"

namespace weft::rt::os {

std::int64_t nanotime() noexcept {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::int64_t nanotime_after(std::int64_t ns) noexcept {
    const std::int64_t now = nanotime();
    return ns > forever - now ? forever : now + ns;
}

int cpu_count() noexcept {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
    // More CPUs than the set holds: all that are online.
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? static_cast<int>(online) : 1;
}

std::int32_t thread_id() noexcept { return static_cast<std::int32_t>(syscall(SYS_gettid)); }

namespace {

/// The first thread's stack, without reading /proc/self/maps as pthread_getattr_np does: the kernel puts the
/// name of the executed file at its very top, followed by one null word (fs/exec.c), and the limit tells how far down
/// it may grow. Empty when that does not answer the question.
stack first_thread_stack() noexcept {
    const auto* name = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
    rlimit limit;
    if (name == nullptr || getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return {};
    const std::size_t page = page_size();
    const auto end = reinterpret_cast<std::uintptr_t>(name) + std::strlen(name) + 1 + sizeof(void*);
    const std::uintptr_t hi = (end + page - 1) / page * page;
    const std::uintptr_t lo = hi - limit.rlim_cur / page * page;
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    return lo < here && here < hi ? stack{lo, hi} : stack{};
}

} // namespace

stack thread_stack() noexcept {
    if (thread_id() == getpid())
        if (const stack first = first_thread_stack()) return first;
    pthread_attr_t attr;
    if (pthread_getattr_np(pthread_self(), &attr) != 0) return {}; // the first thread, and no /proc
    void* lo = nullptr;
    std::size_t size = 0;
    pthread_attr_getstack(&attr, &lo, &size);
    pthread_attr_destroy(&attr);
    const auto base = reinterpret_cast<std::uintptr_t>(lo);
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    if (here < base || here >= base + size) return {}; // a goroutine's, after fork
    return {base, base + size};
}

block_signals::block_signals() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
}

block_signals::~block_signals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

std::string signal_name(int number) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 32)
    if (const char* name = sigabbrev_np(number)) return name;
#endif
    return std::to_string(number);
}

bool may_be_handled(int number) noexcept {
    struct sigaction now {};
    return number != SIGKILL && number != SIGSTOP && sigaction(number, nullptr, &now) == 0;
}

bool ignored_by_default(int number) noexcept {
    return number == SIGURG || number == SIGCHLD || number == SIGWINCH || number == SIGCONT;
}

sigset_t signal_mask() noexcept {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return mask;
}

void set_signal_mask(const sigset_t& mask) noexcept { pthread_sigmask(SIG_SETMASK, &mask, nullptr); }

int create_thread(pthread_t& thread, stack on, void* (*start)(void*), void* arg) noexcept {
    pthread_attr_t attr;
    int failed = pthread_attr_init(&attr);
    if (failed != 0) return failed;
    failed = pthread_attr_setstack(&attr, reinterpret_cast<void*>(on.lo), on.hi - on.lo);
    if (failed == 0) failed = pthread_create(&thread, &attr, start, arg);
    pthread_attr_destroy(&attr);
    return failed;
}

bool register_heavy_barrier() noexcept {
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void heavy_barrier() noexcept {
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) fatal_raw("runtime: membarrier failed");
}

std::int64_t thread_cpu_time(std::int32_t thread) noexcept {
    // clock_getcpuclockid(3) for a thread: the kernel's encoding, as in glibc's pthread_getcpuclockid.
    constexpr int per_thread_sched = 6;
    const auto clock = static_cast<clockid_t>((~static_cast<unsigned>(thread) << 3) | per_thread_sched);
    timespec used;
    if (clock_gettime(clock, &used) != 0) return -1;
    return std::int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

bool thread_sleeps(std::int32_t thread) noexcept {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    char text[128];
    const ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0) return false;
    text[size] = '\0';
    // The name in parentheses may contain anything, and is at most 15 characters.
    const char* end = std::strrchr(text, ')');
    return end != nullptr && end[1] == ' ' && (end[2] == 'S' || end[2] == 'D');
}

[[gnu::noinline]] int get_errno() noexcept { return errno; }
[[gnu::noinline]] void set_errno(int value) noexcept { errno = value; }

void yield_thread() noexcept { sched_yield(); }

void sleep_microseconds(std::uint32_t us) noexcept {
    timespec t{static_cast<time_t>(us / 1'000'000), static_cast<long>(us % 1'000'000) * 1000};
    nanosleep(&t, nullptr);
}

} // namespace weft::rt::os
