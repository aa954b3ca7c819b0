// SPDX-License-Identifier: MIT
// What Valgrind and ThreadSanitizer have to be told about the memory behind stacks. Found at run time:
// client requests that are no-ops outside Valgrind, and weak symbols.
#pragma once

#ifdef WEFT_HAVE_VALGRIND
#include <valgrind/valgrind.h>
#endif

#include "core/stack.hpp"

extern "C" {
// compiler-rt: tsan_interface_ann.h
[[gnu::weak]] void AnnotateIgnoreReadsBegin(const char* file, int line);
[[gnu::weak]] void AnnotateIgnoreReadsEnd(const char* file, int line);
[[gnu::weak]] void AnnotateIgnoreWritesBegin(const char* file, int line);
[[gnu::weak]] void AnnotateIgnoreWritesEnd(const char* file, int line);
}

namespace weft::rt::tools {

/// While it lives, ThreadSanitizer looks away. The runtime is not instrumented, but the copying functions
/// of libc that it calls are watched all the same, and the tool does not see the runtime's own locks. The process
/// must not end meanwhile: the tool would report that it was told to look away and never back.
class race_ignored {
public:
    race_ignored() noexcept {
        if (AnnotateIgnoreReadsBegin == nullptr) return;
        AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
        AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    }
    ~race_ignored() {
        if (AnnotateIgnoreReadsBegin == nullptr) return;
        AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
        AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    }
    race_ignored(const race_ignored&) = delete;
    race_ignored& operator=(const race_ignored&) = delete;
};

/// Whether the program runs under Valgrind.
inline bool on_valgrind() noexcept {
#ifdef WEFT_HAVE_VALGRIND
    return RUNNING_ON_VALGRIND != 0;
#else
    return false;
#endif
}

/// Valgrind knows from now on that a stack pointer inside s, or at its very end, is on a stack of its own. Returns
/// the name to forget it by.
inline unsigned register_stack([[maybe_unused]] const stack& s) noexcept {
#ifdef WEFT_HAVE_VALGRIND
    return VALGRIND_STACK_REGISTER(reinterpret_cast<void*>(s.lo), reinterpret_cast<void*>(s.hi));
#else
    return 0;
#endif
}

inline void forget_stack([[maybe_unused]] unsigned id) noexcept {
#ifdef WEFT_HAVE_VALGRIND
    VALGRIND_STACK_DEREGISTER(id);
#endif
}

} // namespace weft::rt::tools
