// SPDX-License-Identifier: MIT
// syscall, weft, unannounced: the cheapest system call from a goroutine that tells nobody; sysmon would find out if it
// blocked. Timed: one call.
#include "harness.hpp"
#include <sys/syscall.h>
#include <unistd.h>
#include <weft/weft.hpp>

int main() {
    weft::run(
        [] {
            bench::ns_per_op([](std::uint64_t n) {
                for (std::uint64_t i = 0; i < n; ++i) syscall(SYS_getppid);
            });
        },
        {.procs = bench::procs()});
}
