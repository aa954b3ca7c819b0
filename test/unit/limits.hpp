// SPDX-License-Identifier: MIT
// Limits of the process and of an older kernel, for tests of what happens then. In a child process only (child.hpp).
#pragma once

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stress/limits.hpp"

namespace limit {

inline std::size_t address_space_in_use() {
    std::size_t pages = 0;
    if (std::FILE* f = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(f, "%zu", &pages) != 1) pages = 0;
        std::fclose(f);
    }
    return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// Leaves that much address space beyond what is in use; false where the limit has no effect (emulators), or
/// would hit the tool's own memory (ThreadSanitizer).
inline bool address_space(std::size_t left) {
#ifdef STRESS_TSAN
    return false;
#endif
    const rlim_t most = address_space_in_use() + left;
    const rlimit limit{most, most};
    if (setrlimit(RLIMIT_AS, &limit) != 0) return false;
    void* p = mmap(nullptr, 2 * left, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return true;
    munmap(p, 2 * left);
    return false;
}

/// From now on the system call fails with the error where its argument has that value. False where the kernel
/// has no such filters.
inline bool refuse(long call, std::size_t argument, std::uint32_t value, std::uint32_t error) {
    const auto load = [](std::size_t offset) {
        return sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)};
    };
    const auto unless = [](std::uint32_t equal, std::uint8_t skip) {
        return sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, skip, equal};
    };
    const auto answer = [](std::uint32_t with) { return sock_filter{BPF_RET | BPF_K, 0, 0, with}; };
    std::array<sock_filter, 6> program{
        load(offsetof(seccomp_data, nr)),
        unless(static_cast<std::uint32_t>(call), 3),
        load(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t)),
        unless(value, 1),
        answer(SECCOMP_RET_ERRNO | error),
        answer(SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// As before Linux 6.13: no MADV_GUARD_INSTALL.
inline bool without_guard_regions() { return refuse(SYS_madvise, 2, 102, EINVAL); }

/// As before Linux 4.14: no MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED.
inline bool without_membarrier() { return refuse(SYS_membarrier, 0, 16, EINVAL); }

} // namespace limit
