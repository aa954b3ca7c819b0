// SPDX-License-Identifier: MIT
// Functions that hold the inline crossings, each with a frame pointer, without one, and with a stack that they
// align themselves, so that the compiler's own rows are of all kinds.
#pragma once

#include <weft/context.h>
#include <weft/detail/cross.hpp>

namespace unwind {

using cross_function = void(weft::rt::g* from, weft::rt::g* to);
using switch_function = void*(weft_context* from, weft_context* to, void* value);

} // namespace unwind

extern "C" {
#ifdef WEFT_CROSS_INLINE
unwind::cross_function step_cross_with_fp, step_cross_without_fp, step_cross_aligned;
#endif
unwind::switch_function step_switch_with_fp, step_switch_without_fp, step_switch_aligned;
}
