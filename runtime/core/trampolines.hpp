// SPDX-License-Identifier: MIT
// The entries written in assembly, one folder per CPU under asm/. The meaning stands here, the
// contract of registers and stacks in asm/README.md and at the head of each asm file.
// test/tools/asmdecl.py compares the three.
#pragma once

#include <cstddef>
#include <cstdint>

#include <weft/fcontext.h>

namespace weft::rt {
struct g;
struct m;
struct gobuf;
} // namespace weft::rt

extern "C" {

struct weft_context;

/// The thread's g: the goroutine that runs, or g0 while the scheduler does; null on a thread that
/// belongs to no runtime. Any thread, any stack. Go: getg.
weft::rt::g* weft_getg() noexcept;

/// Sets the thread's g. Only start-up, tests and the attachment of threads may call it. Go: setg_gcc.
void weft_setg(weft::rt::g* gp) noexcept;

/// Makes the calling thread m0 and its stack m0's g0, starts the runtime and returns when it has
/// stopped. Any thread that has no g. Go: rt0_go.
void weft_rt0(weft::rt::m* m0);

/// Start routine of every thread made by newosproc; its stack is m.g0's. Returns null. Go: mstart_stub.
void* weft_mstart_stub(void* mp);

/// Runs the scheduler on g0; returns when g0.sched is continued, that is when the m exits.
/// g0 only. Go: mstart.
void weft_mstart();

/// Continues the context in buf on this thread. Once the caller's stack is left, buf.g's status is running.
/// Any stack; usually g0. Go: gogo.
[[noreturn]] void weft_gogo(weft::rt::gobuf* buf) noexcept;

/// Leaves the calling goroutine and runs fn(goroutine) on g0; fn must not return. Comes back when
/// somebody continues the goroutine, maybe on another thread. A goroutine's stack only; on g0 it
/// ends the process with "runtime: mcall called on m->g0 stack". Go: mcall.
void weft_mcall(void (*fn)(weft::rt::g*));

/// Calls fn(arg) on g0 and returns; on g0 it is a plain call. fn must not park, must not throw
/// ("panic on system stack") and stays on this m. Go: systemstack.
void weft_systemstack(void (*fn)(void*), void* arg);

/// Never called: a pc inside it marks a goroutine that is on the system stack. Go: systemstack_switch.
void weft_systemstack_switch();

/// The base of every goroutine's stack; fresh contexts start at weft_goexit + pc_quantum. Go: goexit.
[[noreturn]] void weft_goexit();

/// Executes that many pauses (PAUSE, YIELD), at least one. Any stack. Go: procyield.
void weft_procyield(std::uint32_t cycles) noexcept;

/// Switches from the calling goroutine to another without a stop on g0. Once the stack of from is
/// left, *where = what is stored with release order, and then to's status = running. Both on this m; to.m is set
/// already. A goroutine's stack only. Go has none: docs/ARCHITECTURE.md, decision 5.
void weft_switchto(weft::rt::g* from, weft::rt::g* to, std::uint32_t* where, std::uint32_t what) noexcept;

/// The same, but fn(arg) is called on to's stack before to continues, and has to store both itself; fn must be
/// short, must not park and must not throw.
void weft_switchto_call(weft::rt::g* from, weft::rt::g* to, void (*fn)(void*), void* arg) noexcept;

/// Calls fn(arg) here, whose backtrace goes on in the context in b as if that had called: for looking at the frames of
/// a context at rest, which must stay so until the return. fn must not throw. Any stack. Go: traceback starts anywhere.
void weft_unwind_from(const weft::rt::gobuf* b, void (*fn)(void*), void* arg);

/// Leaves one context for another; see weft/context.h, which declares it for users.
void* weft_context_switch(weft_context* from, weft_context* to, void* value);

/// The same, with fn(passed) called on to's stack before to continues; see weft/context.h.
void* weft_context_switch_ontop(weft_context* from, weft_context* to, void* (*fn)(void*), void* passed);

/// Writes into c, whose flags and control words are set, a context that begins in weft_context_entry and
/// from there calls fn(arg, value) on the stack that ends at stack_top. Any thread.
void weft_context_make(weft_context* c, void* stack_top, void (*fn)(void*, void*), void* arg) noexcept;

/// The base of every such context's stack. Entered by a switch only.
void weft_context_entry();

// weft-fcontext's, which are in neither of the other libraries.

/// Boost's jump_fcontext; see weft/fcontext.h, which declares the three for users.
weft_transfer jump_fcontext(weft_fcontext to, void* data);

/// Boost's ontop_fcontext: fn runs in the place where to was left, and its result is what to gets.
weft_transfer ontop_fcontext(weft_fcontext to, void* data, weft_transfer (*fn)(weft_transfer));

/// Boost's make_fcontext: writes a context that begins in weft_fcontext_entry and from there calls fn(transfer) on
/// the stack that ends at stack_top. Any thread.
weft_fcontext make_fcontext(void* stack_top, std::size_t size, void (*fn)(weft_transfer)) noexcept;

/// The base of every such context's stack. Entered by a jump only.
void weft_fcontext_entry();

} // extern "C"
