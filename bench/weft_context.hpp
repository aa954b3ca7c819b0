// SPDX-License-Identifier: MIT
// weft's contexts in the two forms that its users choose from, for the switch.* rows.
//   inline   weft_context_switch_inline: the compiler saves what is live, control words are shared
//   call     weft_context_switch: an ordinary call, every callee-saved register and the control words
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <weft/context.h>

#include "harness.hpp"

namespace bench {

enum class form { inline_switch, call };

template <form Form>
[[gnu::always_inline]] inline void* switch_to(weft_context* from, weft_context* to, void* value = nullptr) {
    if constexpr (Form == form::inline_switch)
        return weft_context_switch_inline(from, to, value);
    else
        return weft_context_switch(from, to, value);
}

template <form Form>
inline constexpr unsigned context_flags = Form == form::inline_switch ? WEFT_CONTEXT_SHARE_FPCW : 0;

/// A context that starts with fn on a stack of its own, never freed.
template <form Form>
weft_context fresh(weft_context_fn* fn) {
    constexpr std::size_t size = 64 * 1024;
    weft_context c{};
    void* lo = std::aligned_alloc(4096, size);
    if (lo == nullptr || weft_context_init(&c, lo, size - 64, fn, nullptr, context_flags<Form>) != 0)
        fail("cannot make a context");
    return c;
}

} // namespace bench
