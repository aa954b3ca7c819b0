// SPDX-License-Identifier: MIT
// syscall, floor: the cheapest system call by itself. Timed: one call.
#include "harness.hpp"
#include <sys/syscall.h>
#include <unistd.h>

int main() {
    bench::ns_per_op([](std::uint64_t n) {
        for (std::uint64_t i = 0; i < n; ++i) syscall(SYS_getppid);
    });
}
