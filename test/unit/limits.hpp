// SPDX-License-Identifier: MIT
// Limits of the process, for tests of what happens at them. In a child process only (child.hpp).
#pragma once

#include <cstddef>
#include <cstdio>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace limit {

inline std::size_t address_space_in_use() {
    std::size_t pages = 0;
    if (std::FILE* f = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(f, "%zu", &pages) != 1) pages = 0;
        std::fclose(f);
    }
    return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// Leaves that much address space beyond what is in use; false where the limit has no effect (emulators).
inline bool address_space(std::size_t left) {
    const rlim_t most = address_space_in_use() + left;
    const rlimit limit{most, most};
    if (setrlimit(RLIMIT_AS, &limit) != 0) return false;
    void* p = mmap(nullptr, 2 * left, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return true;
    munmap(p, 2 * left);
    return false;
}

} // namespace limit
