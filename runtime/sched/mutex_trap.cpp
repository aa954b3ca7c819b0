// SPDX-License-Identifier: MIT
#include "sched/mutex_trap.hpp"

#include <dlfcn.h>

#include "sched/proc.hpp"

namespace weft::rt::mutex_trap {

namespace {

using counter = int();

counter* held() noexcept {
    static auto* const it = reinterpret_cast<counter*>(dlsym(RTLD_DEFAULT, "weft_mutexes_held"));
    return it;
}

} // namespace

bool present() noexcept { return held() != nullptr; }

void look(const g* gp) {
    if (!present() || (gp->special & special::locked) != 0 || held()() == 0) return;
    fatal("weft: a goroutine parks or yields while it holds a pthread mutex (or std::mutex), which belongs to its "
          "thread");
}

} // namespace weft::rt::mutex_trap
