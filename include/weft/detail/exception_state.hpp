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
namespace coroutine_detail {

#if defined(__cpp_exceptions)

/// libstdc++'s and libc++abi's __cxa_eh_globals.
struct exception_words {
    void* caught;
    unsigned int uncaught;
    bool empty() const noexcept { return (reinterpret_cast<std::uintptr_t>(caught) | uncaught) == 0; }
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

/// On the resumer's stack around the switch. Both sides hardly ever have anything: then nothing is written.
class exception_border {
public:
    /// Before the switch: the thread's words are kept here, and the coroutine's, which are in mine, come into force.
    explicit exception_border(const exception_words& mine) noexcept
        : words_(weft_cxa_get_globals()), thread_(thread_pointer()), crossed_(!words_->empty() || !mine.empty()) {
        if (!crossed_) [[likely]]
            return;
        theirs_ = *words_;
        *words_ = mine;
    }
    /// After it: the other way round. On another thread, if the resumer is a goroutine that went there meanwhile.
    void back(exception_words& mine) noexcept {
        if (thread_ == 0 || thread_pointer() != thread_) [[unlikely]]
            words_ = weft_cxa_get_globals();
        if (!crossed_) {
            if (words_->empty()) [[likely]]
                return;
            theirs_ = {};
        }
        mine = *words_;
        *words_ = theirs_;
    }

private:
    exception_words* words_;
    std::uintptr_t thread_;
    bool crossed_;
    exception_words theirs_; // if crossed
};

#else

struct exception_words {};
struct exception_border {
    explicit exception_border(const exception_words&) noexcept {}
    void back(exception_words&) noexcept {}
};

#endif

} // namespace coroutine_detail
} // namespace WEFT_COROUTINE_NAMESPACE
} // namespace weft
#pragma GCC visibility pop
