// SPDX-License-Identifier: MIT
// The names of weft-core's errors (weft/context.h).
#include "core/badstate.hpp"
#include "weft/context.h"

const char* weft_error_name(int error) {
    switch (error) {
    case 0: return "no error";
    case WEFT_EINVAL: return "a null argument, or unknown flags";
    case WEFT_ESTACK: return "a stack that is too small, ends beyond the address space, or is not a multiple of 16";
    case WEFT_ENOMEM: return "no memory for a stack";
    case WEFT_EFOREIGN: return "not a coroutine, or one that was destroyed";
    case WEFT_ERUNNING: return "the coroutine is running";
    case WEFT_EFINISHED: return "the coroutine has finished";
    case WEFT_EOUTSIDE: return "a coroutine left by somebody who is not on its stack";
    case WEFT_EMODE: return "a transfer between different ways with the control words";
    case WEFT_ESTOPPED: return "a coroutine that was told to stop has yielded again";
    default: return "no such error";
    }
}

void weft_fail(int error) {
    weft::rt::write_err("fatal error: weft: ");
    weft::rt::write_err(weft_error_name(error));
    weft::rt::write_err("\n");
    weft::rt::end_process();
}
