// SPDX-License-Identifier: MIT
// What the sanitizers want to know about switches. Their entries are weak symbols found at run time, so
// one build of the runtime serves plain, AddressSanitizer and ThreadSanitizer programs. (Valgrind: core/tools.hpp.)
//
// racectx is a ThreadSanitizer fiber, made and cleared where Go makes and clears its race context.
// The runtime itself is never instrumented by it (runtime/meson.build): scheduler functions that leave
// by a switch would never pop their entry from the tool's shadow stack, and what the scheduler orders
// by accident would hide races of the goroutines. So switches are told not to synchronise, and the orders
// that a user may rely on are annotated: go → start, exit → join, ready → park. Memory that is used again
// orders nobody: the tool is made to forget a stack, and sees every closure and result on the heap.
#pragma once

#include "sched/g.hpp"

namespace weft::rt::sanitizer {

/// Whether any of them is present: then every switch goes through g0, where the calls below stand.
bool present() noexcept;

/// Whether ThreadSanitizer is: it calls signal handlers when it likes, and what they write into their frames is lost.
bool defers_signals() noexcept;

/// A race context for a new goroutine; the current one, for g0. Null without ThreadSanitizer.
void* race_create() noexcept;
void* race_current() noexcept;
void race_destroy(void* racectx) noexcept;
/// The same for a goroutine that was abandoned: what it did comes before what the caller does from now on.
void race_join(void* racectx) noexcept;

/// Everything before release(x) on one goroutine is ordered before what follows acquire(x) on another.
void race_release(void* address) noexcept;
void race_acquire(const void* address) noexcept;

/// The calling thread's errno may be used by its goroutines, one after the other, which orders none of them.
void race_errno() noexcept;

/// The calling context is about to be left for to; dies: it will never be continued.
void leave(g* from, const g* to, bool dies) noexcept;
/// The first thing after the arrival in to.
void arrive(g* to) noexcept;

/// A stack went out of use, and nobody is on it: the tools forget what they knew of its frames. Whoever gets it
/// next is not ordered after the one before.
void stack_unused(const stack& s) noexcept;

} // namespace weft::rt::sanitizer
