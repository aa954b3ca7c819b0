// SPDX-License-Identifier: MIT
// No libc: a program that has contexts on stacks of its own gets these ends with them (docs/embedding.md).
#include "core/badstate.hpp"

#include <sys/syscall.h>

#include "core/cpu.hpp"

namespace weft::rt {

namespace {

constexpr long standard_error = 2;

std::size_t length(const char* text) noexcept {
    std::size_t n = 0;
    for (; text[n] != '\0'; n++) asm volatile(""); // or compilers make it a call of strlen
    return n;
}

} // namespace

void write_err(const char* text) noexcept {
    for (std::size_t left = length(text); left > 0;) {
        const long n =
            cpu::system_call(SYS_write, standard_error, reinterpret_cast<long>(text), static_cast<long>(left));
        if (n <= 0) return;
        text += n;
        left -= static_cast<std::size_t>(n);
    }
}

void end_process() noexcept {
    for (;;) cpu::system_call(SYS_exit_group, 2, 0, 0);
}

void fatal_raw(const char* what) noexcept {
    write_err("fatal error: ");
    write_err(what);
    write_err("\n");
    end_process();
}

} // namespace weft::rt

using weft::rt::fatal_raw;

extern "C" {

void weft_badmcall() noexcept { fatal_raw("runtime: mcall called on m->g0 stack"); }

void weft_badmcall2() noexcept { fatal_raw("runtime: mcall function returned"); }

void weft_badsystemstack() noexcept {
    // Go's text, which has "fatal:" where throw has "fatal error:".
    weft::rt::write_err("fatal: systemstack called from unexpected goroutine\n");
    weft::rt::end_process();
}

void weft_badcontext() noexcept { fatal_raw("weft: a context's function returned"); }

void weft_badfcontext() noexcept { fatal_raw("weft: an fcontext's function returned"); }

void weft_badmstart() noexcept { fatal_raw("bad runtime\xc2\xb7mstart"); }

void weft_badalign() noexcept { fatal_raw("runtime: misaligned stack pointer at a switch"); }

void weft_badg() noexcept { fatal_raw("runtime: switch to a goroutine that is on no m"); }

} // extern "C"
