// SPDX-License-Identifier: MIT
// weft_getg and weft_setg as inline asm, for the paths on which a call is felt. The whole access stands in one
// volatile asm, so no compiler can keep the thread-local's address across a switch (docs/ARCHITECTURE.md,
// decision 3). Initial-exec model, as asm/: ELF TLS, section 4.4.2; ELF for AArch64, section "TLS".
#pragma once

#include <cstdint>

namespace weft::rt {

struct g;

/// This thread's g, or null. Any thread, any stack. Go: getg.
inline g* getg() noexcept {
    g* gp;
#if defined(__x86_64__)
    asm volatile("movq weft_tls_g@gottpoff(%%rip), %0\n\t"
                 "movq %%fs:(%0), %0"
                 : "=r"(gp));
#elif defined(__aarch64__)
    std::uintptr_t thread;
    asm volatile("adrp %0, :gottprel:weft_tls_g\n\t"
                 "ldr %0, [%0, :gottprel_lo12:weft_tls_g]\n\t"
                 "mrs %1, tpidr_el0\n\t"
                 "ldr %0, [%1, %0]"
                 : "=&r"(gp), "=&r"(thread));
#endif
    return gp;
}

/// This thread's g := gp. As weft_setg; for the crossings only.
inline void setg(g* gp) noexcept {
    std::uintptr_t offset;
#if defined(__x86_64__)
    asm volatile("movq weft_tls_g@gottpoff(%%rip), %0\n\t"
                 "movq %1, %%fs:(%0)"
                 : "=&r"(offset)
                 : "r"(gp)
                 : "memory");
#elif defined(__aarch64__)
    std::uintptr_t thread;
    asm volatile("adrp %0, :gottprel:weft_tls_g\n\t"
                 "ldr %0, [%0, :gottprel_lo12:weft_tls_g]\n\t"
                 "mrs %1, tpidr_el0\n\t"
                 "str %2, [%1, %0]"
                 : "=&r"(offset), "=&r"(thread)
                 : "r"(gp)
                 : "memory");
#endif
}

} // namespace weft::rt
