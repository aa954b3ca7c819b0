// SPDX-License-Identifier: MIT
#include "sched/sanitizer.hpp"

#include "sched/m.hpp"

#include <cerrno>
#include <cstddef>

// compiler-rt: sanitizer/tsan_interface.h, tsan_interface_ann.h, sanitizer/common_interface_defs.h,
// sanitizer/asan_interface.h.
extern "C" {
[[gnu::weak]] void* __tsan_create_fiber(unsigned flags);
[[gnu::weak]] void __tsan_destroy_fiber(void* fiber);
[[gnu::weak]] void* __tsan_get_current_fiber();
[[gnu::weak]] void __tsan_switch_to_fiber(void* fiber, unsigned flags);
[[gnu::weak]] void __tsan_acquire(const void* address);
[[gnu::weak]] void __tsan_release(void* address);
[[gnu::weak]] void AnnotateBenignRaceSized(const char* file, int line, const volatile void* address, std::size_t size,
                                           const char* why);
[[gnu::weak]] void __sanitizer_start_switch_fiber(void** fake_stack_save, const void* bottom, std::size_t size);
[[gnu::weak]] void __sanitizer_finish_switch_fiber(void* fake_stack_save, const void** bottom_old,
                                                   std::size_t* size_old);
[[gnu::weak]] void __asan_unpoison_memory_region(const volatile void* address, std::size_t size);
}

namespace weft::rt::sanitizer {

namespace {

constexpr unsigned no_sync = 1; // __tsan_switch_to_fiber_no_sync

bool tsan() noexcept { return __tsan_create_fiber != nullptr; }
bool asan() noexcept { return __sanitizer_start_switch_fiber != nullptr; }

} // namespace

bool present() noexcept { return tsan() || asan(); }
bool defers_signals() noexcept { return tsan(); }

void* race_create() noexcept { return tsan() ? __tsan_create_fiber(0) : nullptr; }
void* race_current() noexcept { return tsan() ? __tsan_get_current_fiber() : nullptr; }
void race_destroy(void* racectx) noexcept {
    if (racectx != nullptr) __tsan_destroy_fiber(racectx);
}

void race_join(void* racectx) noexcept {
    if (racectx == nullptr) return;
    void* self = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(racectx, no_sync);
    __tsan_switch_to_fiber(self, 0); // this switch synchronises
    __tsan_destroy_fiber(racectx);
}

void race_release(void* address) noexcept {
    if (__tsan_release != nullptr) __tsan_release(address);
}
void race_acquire(const void* address) noexcept {
    if (__tsan_acquire != nullptr) __tsan_acquire(address);
}

void race_errno() noexcept {
    if (AnnotateBenignRaceSized != nullptr)
        AnnotateBenignRaceSized(__FILE__, __LINE__, &errno, sizeof errno, "errno belongs to the thread");
}

void leave(g* from, const g* to, bool dies) noexcept {
    if (asan())
        __sanitizer_start_switch_fiber(dies ? nullptr : &from->fake_stack, reinterpret_cast<const void*>(to->stk.lo),
                                       to->stk.hi - to->stk.lo);
    if (!tsan()) return;
    // g0 has no race context of its own once main has cleared it: the thread's serves, Go's raceprocctx. An attached
    // thread's g0 serves its one goroutine alone: what a callback does there is in order with what the thread does.
    __tsan_switch_to_fiber(to->racectx != nullptr ? to->racectx : to->m->procctx, to->m->attached ? 0 : no_sync);
}

void arrive(g* to) noexcept {
    if (asan()) __sanitizer_finish_switch_fiber(to->fake_stack, nullptr, nullptr);
    // The thread's own thread-locals, errno among them, were made by its start (minit releases).
    if (tsan() && to != to->m->g0) __tsan_acquire(to->m);
}

void stack_unused(const stack& s) noexcept {
    if (__asan_unpoison_memory_region != nullptr)
        __asan_unpoison_memory_region(reinterpret_cast<void*>(s.lo), s.hi - s.lo);
    if (tsan()) renew_stack(s);
}

} // namespace weft::rt::sanitizer
