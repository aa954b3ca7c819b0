// SPDX-License-Identifier: MIT
// [[noreturn]] void weft_gogo(gobuf*)
#include "abi.inc"
#include "save.inc"

func weft_gogo
  ldr x1, [x0, #GOBUF_G]
  ldr x2, [x1]                        // a null g faults here, while the caller's frame still stands
  if_shared x0, 0, .Lwords_done
  mrs x9, fpcr
  load_fpcw x0, 0
.Lwords_done:
  ldr x16, [x0, #GOBUF_PC]
  store_g x1, x9, x10
  arrive 0, 0, x16
  str xzr, [x0, #GOBUF_SP]
  str xzr, [x0, #GOBUF_BP]
  store_running x1, x9, w10
  br x16
endfunc
