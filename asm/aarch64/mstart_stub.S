// SPDX-License-Identifier: MIT
// void* weft_mstart_stub(void* m)
#include "abi.inc"
#include "save.inc"

func weft_mstart_stub
  .cfi_undefined x30
  save_registers outermost
  mov x29, sp
  ldr x9, [x0, #M_G0]
  str x0, [x9, #G_M]
  store_g x9, x10, x11
  bl weft_mstart
  store_g xzr, x9, x10
  restore_registers outermost
  mov x0, #0
  ret
endfunc
