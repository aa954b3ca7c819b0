// SPDX-License-Identifier: MIT
// yield, weft with goroutines that share the floating-point control words. Timed as in weft.cpp.
#define WEFT_SHARE_CONTROL_WORDS true
#include "weft.cpp"
