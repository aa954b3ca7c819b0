// SPDX-License-Identifier: MIT
// The saved place of a context that does not run. The asm reaches its fields by the offsets of layout.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "layout.h"

namespace weft::rt {

struct g;

/// Where a context continues. Go: runtime2.go, gobuf; bp, the control words and the flags are C++'s.
/// Written by the thread that leaves the context, read by the one that continues it; between the two
/// stands the publication that switchto describes.
struct gobuf {
    std::uintptr_t sp = 0;   ///< multiple of 16; everything below it is free
    std::uintptr_t pc = 0;   ///< the restore tail of what suspended it, or weft_goexit + pc_quantum when fresh
    std::uintptr_t bp = 0;   ///< frame pointer (rbp, x29)
    rt::g* g = nullptr;      ///< whose context this is
    std::uint32_t fpcw = 0;  ///< x86-64: MXCSR. AArch64: FPCR
    std::uint16_t x87cw = 0; ///< x86-64: x87 control word. AArch64: unused
    std::uint16_t flags = 0; ///< GOBUF_SHARE_FPCW: the context takes the control words that it finds
};

static_assert(offsetof(gobuf, sp) == GOBUF_SP);
static_assert(offsetof(gobuf, pc) == GOBUF_PC);
static_assert(offsetof(gobuf, bp) == GOBUF_BP);
static_assert(offsetof(gobuf, g) == GOBUF_G);
static_assert(offsetof(gobuf, fpcw) == GOBUF_FPCW);
static_assert(offsetof(gobuf, x87cw) == GOBUF_X87CW);
static_assert(offsetof(gobuf, flags) == GOBUF_FLAGS);
static_assert(sizeof(gobuf) == GOBUF_SIZE);

} // namespace weft::rt
