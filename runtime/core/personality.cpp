// SPDX-License-Identifier: MIT
// The personality routine of the frames at which no exception may arrive: those of systemstack,
// mcall and mstart on g0. It acts in the search phase, so the stack of the throw still stands.
// Source: Itanium C++ ABI, Level I, section 1.6 (personality routine).
#include <unwind.h>

#include "core/badstate.hpp"

extern "C" _Unwind_Reason_Code weft_g0_personality(int version, _Unwind_Action actions, _Unwind_Exception_Class,
                                                   _Unwind_Exception*, _Unwind_Context*) {
    if (version != 1) return _URC_FATAL_PHASE1_ERROR;
    // A forced unwind (thread cancellation, longjmp_unwind) has no search phase; it may not pass either.
    if ((actions & (_UA_SEARCH_PHASE | _UA_FORCE_UNWIND)) != 0) weft::rt::fatal_raw("panic on system stack");
    return _URC_CONTINUE_UNWIND;
}
