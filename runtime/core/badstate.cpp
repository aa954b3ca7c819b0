// SPDX-License-Identifier: MIT
#include "core/badstate.hpp"

#include <cstring>
#include <unistd.h>

namespace weft::rt {

void write_err(const char* text) noexcept {
    for (std::size_t left = std::strlen(text); left > 0;) {
        ssize_t n = write(STDERR_FILENO, text, left);
        if (n <= 0) return;
        text += n;
        left -= static_cast<std::size_t>(n);
    }
}

void fatal_raw(const char* what) noexcept {
    write_err("fatal error: ");
    write_err(what);
    write_err("\n");
    _exit(2);
}

} // namespace weft::rt

using weft::rt::fatal_raw;

extern "C" {

void weft_badmcall() noexcept { fatal_raw("runtime: mcall called on m->g0 stack"); }

void weft_badmcall2() noexcept { fatal_raw("runtime: mcall function returned"); }

void weft_badsystemstack() noexcept {
    // Go's text, which has "fatal:" where throw has "fatal error:".
    weft::rt::write_err("fatal: systemstack called from unexpected goroutine\n");
    _exit(2);
}

void weft_badcontext() noexcept { fatal_raw("weft: a context's function returned"); }

void weft_badfcontext() noexcept { fatal_raw("weft: an fcontext's function returned"); }

void weft_badmstart() noexcept { fatal_raw("bad runtime\xc2\xb7mstart"); }

void weft_badalign() noexcept { fatal_raw("runtime: misaligned stack pointer at a switch"); }

void weft_badg() noexcept { fatal_raw("runtime: switch to a goroutine that is on no m"); }

} // extern "C"
