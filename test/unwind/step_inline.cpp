// SPDX-License-Identifier: MIT
// Compiled once for each kind of function, with the arguments for it, as STEP_CROSS and STEP_SWITCH.
#include "step_inline.hpp"

namespace {

[[gnu::always_inline]] inline void make_frame() {
#ifdef STEP_ALIGNED
    alignas(STEP_ALIGNED) long aligned[8];
    asm volatile("" : : "r"(aligned) : "memory");
#endif
}

} // namespace

extern "C" {

#ifdef WEFT_CROSS_INLINE
void STEP_CROSS(weft::rt::g* from, weft::rt::g* to) {
    make_frame();
#ifdef STEP_ALIGNED
    weft::detail::cross<weft::detail::leaving::waiting>(from, to);
#else
    weft::detail::cross(from, to);
#endif
    make_frame();
}
#endif

void* STEP_SWITCH(weft_context* from, weft_context* to, void* value) {
    make_frame();
    void* const given = weft_context_switch_inline(from, to, value);
    make_frame();
    return given;
}

} // extern "C"
