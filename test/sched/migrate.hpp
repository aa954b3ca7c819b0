// SPDX-License-Identifier: MIT
// Moves the calling goroutine to another thread, for certain.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include "weft/weft.hpp"

namespace sched_test {

inline pid_t thread_id() { return static_cast<pid_t>(syscall(SYS_gettid)); }

/// Another goroutine takes the thread that the caller leaves and keeps it locked until the caller runs
/// elsewhere. Where the other runs on another thread from the start, it is tried again.
inline void change_thread() {
    const pid_t before = thread_id();
    while (thread_id() == before) {
        weft::wait_group locked;
        locked.add(1);
        weft::go([&locked] {
            weft::this_goroutine::lock_os_thread();
            locked.done();
            weft::yield();
            weft::this_goroutine::unlock_os_thread();
        });
        locked.wait();
    }
}

/// One that is taken in turn: i-th call of it changes the thread, yields, or does nothing.
inline void disturb(unsigned i) {
    switch (i % 3) {
    case 0: change_thread(); break;
    case 1: weft::yield(); break;
    default: break;
    }
}

} // namespace sched_test
