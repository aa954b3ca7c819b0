// SPDX-License-Identifier: MIT
// gdb-target above|below: what gdb_bt.py looks at, with g0's stack above the goroutines' or below them:
// debuggers take stacks that grow the wrong way for corrupt ones.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <weft/weft.hpp>

#include "booted.hpp"
#include "bt_program.hpp"
#include "core/trampolines.hpp"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

namespace {

constexpr std::size_t stack_size = 1024 * 1024;
bool g0_above;

/// Memory for a stack far above, or far below, where the kernel puts what does not say where.
void* map_stack() {
    const std::uintptr_t where = g0_above ? 0x7ffe'0000'0000 : 0x2'0000'0000;
    void* p = mmap(reinterpret_cast<void*>(where), stack_size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (p == MAP_FAILED) std::abort();
    return p;
}

/// On a thread whose stack is m0's g0.
void* boot(void*) {
    weft::options o;
    o.procs = 1;
    weft::run(
        [] {
            const weft::rt::g* gp = weft_getg();
            if ((gp->m->g0->stk.lo > gp->stk.lo) != g0_above) std::abort();
            unwind::wait_for_sysmon(*gp->m->rt);
            unwind::visit_stacks(nullptr);
        },
        o);
    return nullptr;
}

} // namespace

int main(int argc, char** argv) {
    g0_above = argc > 1 && std::strcmp(argv[1], "above") == 0;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, map_stack(), stack_size);
    pthread_t thread;
    if (pthread_create(&thread, &attributes, boot, nullptr) != 0) std::abort();
    pthread_join(thread, nullptr);
}
