// SPDX-License-Identifier: MIT
// What C++ knows of a thread's exceptions (Itanium C++ ABI, section 2.2.2: __cxa_eh_globals: what is being caught, how
// many are in flight), kept apart for a coroutine and its resumer: the frames of either may stand in a catch
// block or a destructor when it is left for the other.
#pragma once

#include <cstdint>

// Code that is compiled without exceptions has other classes by the same names: one program may have both.
#if defined(__cpp_exceptions)
#define WEFT_COROUTINE_NAMESPACE with_exceptions
#else
#define WEFT_COROUTINE_NAMESPACE without_exceptions
#endif

#pragma GCC visibility push(default)
namespace weft {
inline namespace WEFT_COROUTINE_NAMESPACE {
namespace detail {

#if defined(__cpp_exceptions)

/// libstdc++'s and libc++abi's __cxa_eh_globals.
struct exception_words {
    void* caught = nullptr;
    unsigned int uncaught = 0;
    bool empty() const noexcept { return caught == nullptr && uncaught == 0; }
};

// Under another name than <cxxabi.h>'s, which says that its result is always the same: not where a goroutine may
// come back on another thread.
extern "C" exception_words* weft_cxa_get_globals() noexcept __asm__("__cxa_get_globals");

/// Tells threads that live at the same time apart; null where it cannot.
inline std::uintptr_t thread_pointer() noexcept {
    std::uintptr_t word = 0;
#if defined(__x86_64__) && defined(__linux__)
    __asm__ volatile("{movq %%fs:0, %0|mov %0, QWORD PTR fs:0}" : "=r"(word)); // psABI: fs:0 holds its own address
#elif defined(__aarch64__)
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(word));
#endif
    return word;
}

/// Stands on the resumer's stack around the switch: before it the thread's words go here and the coroutine's
/// into force, after it the other way round. mine: the coroutine's.
class exception_border {
public:
    explicit exception_border(exception_words& mine) noexcept
        : mine_(mine), words_(weft_cxa_get_globals()), thread_(thread_pointer()) {
        if (words_->empty() && mine_.empty()) [[likely]]
            return;
        swap();
    }
    ~exception_border() {
        // The resumer may be a goroutine that went on on another thread meanwhile.
        if (thread_ == 0 || thread_pointer() != thread_) [[unlikely]]
            words_ = weft_cxa_get_globals();
        if (words_->empty() && theirs_.empty() && mine_.empty()) [[likely]]
            return;
        mine_ = *words_;
        *words_ = theirs_;
    }
    exception_border(const exception_border&) = delete;
    exception_border& operator=(const exception_border&) = delete;

private:
    void swap() noexcept {
        theirs_ = *words_;
        *words_ = mine_;
    }

    exception_words& mine_;
    exception_words* words_;
    std::uintptr_t thread_;
    exception_words theirs_;
};

#else

struct exception_words {};
struct exception_border {
    explicit exception_border(exception_words&) noexcept {}
};

#endif

} // namespace detail
} // namespace WEFT_COROUTINE_NAMESPACE
} // namespace weft
#pragma GCC visibility pop
