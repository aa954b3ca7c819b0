// SPDX-License-Identifier: MIT
// syscall, weft: the cheapest system call, announced by blocking(). Timed: one call.
#include "harness.hpp"
#include <sys/syscall.h>
#include <unistd.h>
#include <weft/weft.hpp>

int main() {
    weft::run(
        [] {
            bench::ns_per_op([](std::uint64_t n) {
                for (std::uint64_t i = 0; i < n; ++i) weft::blocking([] { return syscall(SYS_getppid); });
            });
        },
        {.procs = bench::procs()});
}
