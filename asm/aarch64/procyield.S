// SPDX-License-Identifier: MIT
// void weft_procyield(uint32_t cycles)
// YIELD in place of PAUSE   clobbers w0
#include "abi.inc"

func weft_procyield
.Lagain:
  yield
  subs w0, w0, #1
  b.ne .Lagain
  ret
endfunc
