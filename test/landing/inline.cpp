// SPDX-License-Identifier: MIT
// The inline switches where a program is compiled with landing pads; tools/landing.py looks at what comes of it.
#include <weft/coroutine.h>
#include <weft/weft.hpp>

extern "C" void* weft_inline_switch(weft_context* from, weft_context* to, void* value) {
    return weft_context_switch_inline(from, to, value);
}

extern "C" void weft_inline_yield(weft::parker& p) {
    weft::yield();
    p.park();
}
