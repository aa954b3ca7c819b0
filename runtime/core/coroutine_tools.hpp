// SPDX-License-Identifier: MIT
// What the sanitizers want to know about weft-core's coroutines. Their entries are weak symbols found at run time, as
// in sched/sanitizer.cpp. A coroutine that is made where one of them is present takes the calls of coroutine.cpp,
// where these stand, from whatever code: so one build of a program's parts, sanitized or not, serves them all.
//
// ThreadSanitizer: each coroutine is a fiber, and a switch synchronises, for resumer and coroutine take turns.
#pragma once

#include <cstddef>
#include <cstdint>

#include "weft/coroutine.h"

// compiler-rt: sanitizer/common_interface_defs.h, sanitizer/asan_interface.h, sanitizer/tsan_interface.h.
extern "C" {
[[gnu::weak]] void __sanitizer_start_switch_fiber(void** fake_stack_save, const void* bottom,
                                                  std::size_t size) noexcept;
[[gnu::weak]] void __sanitizer_finish_switch_fiber(void* fake_stack_save, const void** bottom_old,
                                                   std::size_t* size_old) noexcept;
[[gnu::weak]] void __asan_unpoison_memory_region(const volatile void* address, std::size_t size) noexcept;
[[gnu::weak]] void* __tsan_create_fiber(unsigned flags) noexcept;
[[gnu::weak]] void __tsan_destroy_fiber(void* fiber) noexcept;
[[gnu::weak]] void* __tsan_get_current_fiber() noexcept;
[[gnu::weak]] void __tsan_switch_to_fiber(void* fiber, unsigned flags) noexcept;
}

namespace weft::rt::coroutine_tools {

/// How a coroutine was entered, until it has arrived.
inline constexpr int by_resume = 1;
inline constexpr int by_transfer = 2;

inline bool asan() noexcept { return __sanitizer_start_switch_fiber != nullptr; }
inline bool tsan() noexcept { return __tsan_create_fiber != nullptr; }
/// Whether any of the functions below is wanted.
inline bool present() noexcept { return asan() || tsan(); }

/// The caller, who is no coroutine or another one, is about to enter co. Returns what back() wants.
[[gnu::noinline, gnu::cold]] inline void* enter(weft_coroutine* co) noexcept {
    void* fake_stack = nullptr;
    co->tools.entered = by_resume;
    if (asan()) __sanitizer_start_switch_fiber(&fake_stack, co->lo, co->size);
    if (tsan()) {
        co->tools.caller_fiber = __tsan_get_current_fiber();
        if (co->tools.fiber == nullptr) co->tools.fiber = __tsan_create_fiber(0);
        __tsan_switch_to_fiber(co->tools.fiber, 0);
    }
    return fake_stack;
}

/// co, or one that it transferred to, has given control back.
inline void back(void* fake_stack) noexcept {
    if (asan()) __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
}

/// co is about to go to its resumer; dies: for ever.
[[gnu::noinline, gnu::cold]] inline void leave(weft_coroutine* co, bool dies) noexcept {
    if (asan())
        __sanitizer_start_switch_fiber(dies ? nullptr : &co->tools.fake_stack, co->tools.caller_lo,
                                       co->tools.caller_size);
    if (tsan()) __tsan_switch_to_fiber(co->tools.caller_fiber, 0);
}

/// from is about to go to to, which has its resumer now.
[[gnu::noinline, gnu::cold]] inline void transfer(weft_coroutine* from, weft_coroutine* to) noexcept {
    to->tools.caller_lo = from->tools.caller_lo;
    to->tools.caller_size = from->tools.caller_size;
    to->tools.caller_fiber = from->tools.caller_fiber;
    to->tools.entered = by_transfer;
    if (asan()) __sanitizer_start_switch_fiber(&from->tools.fake_stack, to->lo, to->size);
    if (tsan()) {
        if (to->tools.fiber == nullptr) to->tools.fiber = __tsan_create_fiber(0);
        __tsan_switch_to_fiber(to->tools.fiber, 0);
    }
}

/// The first thing on co's stack after a switch to it. What ran on top of co may have done it already.
[[gnu::noinline, gnu::cold]] inline void arrive(weft_coroutine* co) noexcept {
    const int how = co->tools.entered;
    co->tools.entered = 0;
    if (!asan() || how == 0) return;
    const void* lo = nullptr;
    std::size_t size = 0;
    __sanitizer_finish_switch_fiber(co->tools.fake_stack, &lo, &size);
    co->tools.fake_stack = nullptr;
    if (how == by_transfer) return;
    co->tools.caller_lo = lo;
    co->tools.caller_size = size;
}

/// Nobody is on co's stack any more, and what was there does not count.
[[gnu::noinline, gnu::cold]] inline void forget(weft_coroutine* co) noexcept {
    if (__asan_unpoison_memory_region != nullptr) __asan_unpoison_memory_region(co->lo, co->size);
    if (co->tools.fiber != nullptr) __tsan_destroy_fiber(co->tools.fiber);
    co->tools.fiber = nullptr;
}

} // namespace weft::rt::coroutine_tools
