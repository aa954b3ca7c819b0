// SPDX-License-Identifier: MIT
// void weft_setg(g*)
// clobbers x9, x10
#include "abi.inc"

func weft_setg
  store_g x0, x9, x10
  ret
endfunc
