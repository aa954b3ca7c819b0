// SPDX-License-Identifier: MIT
// The named ends of misuse. Each writes one line to stderr and ends the process; none returns.
#pragma once

#include <cstddef>

namespace weft::rt {

/// Writes text to stderr with nothing but write(2): usable on any stack and in a signal handler.
void write_err(const char* text) noexcept;

/// Exit status 2, for all threads, at once. As _exit(2), without libc.
[[noreturn]] void end_process() noexcept;

/// Ends the process as Go's throw does: "fatal error: " and what, exit status 2.
[[noreturn]] void fatal_raw(const char* what) noexcept;

} // namespace weft::rt

extern "C" {
[[noreturn]] void weft_badmcall() noexcept;       ///< mcall on g0. Go: badmcall
[[noreturn]] void weft_badmcall2() noexcept;      ///< an mcall function returned. Go: badmcall2
[[noreturn]] void weft_badsystemstack() noexcept; ///< neither g0 nor m.curg. Go: badsystemstack
[[noreturn]] void weft_badcontext() noexcept;     ///< the function of a weft_context returned
[[noreturn]] void weft_badfcontext() noexcept;    ///< the function of make_fcontext returned
[[noreturn]] void weft_badmstart() noexcept;      ///< mstart1 returned, or mstart off g0. Go: "bad runtime·mstart"
[[noreturn]] void weft_badalign() noexcept;       ///< asm assertion: a stack pointer is not a multiple of 16
[[noreturn]] void weft_badg() noexcept;           ///< asm assertion: a switch to no goroutine, or to one without an m
}
