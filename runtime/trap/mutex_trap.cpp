// SPDX-License-Identifier: MIT
// libweft-mutex-trap.so, for LD_PRELOAD: counts the pthread mutexes that each thread holds, std::mutex among them, so
// that weft can end a program whose goroutine parks or yields with one (runtime/sched/mutex_trap.hpp). Costs some ns
// for each lock; for debugging.
#include <cerrno>
#include <dlfcn.h>
#include <pthread.h>
#include <time.h>

namespace {

thread_local int held = 0;

template <class F>
F* next(const char* name) {
    return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

/// Holds the mutex, unless that failed.
int counted(int error) {
    held += error == 0 || error == EOWNERDEAD;
    return error;
}

} // namespace

#pragma GCC visibility push(default)
extern "C" {

/// How many the calling thread holds now. Any thread.
int weft_mutexes_held() { return held; }

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
    static auto* const real = next<int(pthread_mutex_t*)>("pthread_mutex_lock");
    return counted(real(mutex));
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
    static auto* const real = next<int(pthread_mutex_t*)>("pthread_mutex_trylock");
    return counted(real(mutex));
}

int pthread_mutex_timedlock(pthread_mutex_t* mutex, const timespec* until) noexcept {
    static auto* const real = next<int(pthread_mutex_t*, const timespec*)>("pthread_mutex_timedlock");
    return counted(real(mutex, until));
}

int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock, const timespec* until) noexcept {
    static auto* const real = next<int(pthread_mutex_t*, clockid_t, const timespec*)>("pthread_mutex_clocklock");
    return counted(real(mutex, clock, until));
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
    static auto* const real = next<int(pthread_mutex_t*)>("pthread_mutex_unlock");
    const int error = real(mutex);
    held -= error == 0;
    return error;
}

} // extern "C"
#pragma GCC visibility pop
