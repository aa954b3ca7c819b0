// SPDX-License-Identifier: MIT
#include "weft/context.h"

#include "core/cpu.hpp"
#include "core/gobuf.hpp"
#include "core/trampolines.hpp"

static_assert(offsetof(weft_context, sp) == GOBUF_SP);
static_assert(offsetof(weft_context, pc) == GOBUF_PC);
static_assert(offsetof(weft_context, bp) == GOBUF_BP);
static_assert(offsetof(weft_context, fpcw) == GOBUF_FPCW);
static_assert(offsetof(weft_context, x87cw) == GOBUF_X87CW);
static_assert(offsetof(weft_context, flags) == GOBUF_FLAGS);
static_assert(sizeof(weft_context) == GOBUF_SIZE);
static_assert(WEFT_CONTEXT_SHARE_FPCW == GOBUF_SHARE_FPCW);

extern "C" int weft_context_init(weft_context* c, void* lo, size_t size, weft_context_fn* fn, void* arg,
                                 unsigned flags) {
    if (c == nullptr || lo == nullptr || fn == nullptr) return WEFT_EINVAL;
    if ((flags & ~WEFT_CONTEXT_SHARE_FPCW) != 0) return WEFT_EINVAL;
    if (size < WEFT_CONTEXT_MIN_STACK) return WEFT_ESTACK;
    c->reserved = nullptr;
    c->flags = static_cast<std::uint16_t>(flags);
    weft::rt::cpu::read_control_words(c->fpcw, c->x87cw);
    weft_context_make(c, static_cast<char*>(lo) + size, fn, arg);
    return 0;
}
