// SPDX-License-Identifier: MIT
// void* weft_mstart_stub(void* m)
// x29 stays as it is, and weft_mstart brings it back.
#include "abi.inc"
#include "save.inc"

handler weft_mstart

bare_func weft_mstart_stub
  .cfi_undefined x30
  pad_call
  save_registers outermost
  ldr x9, [x0, #M_G0]
  str x0, [x9, #G_M]
  store_g x9, x10, x11
  bl weft_mstart
  store_g xzr, x9, x10
  restore_registers outermost
  mov x0, #0
  ret
endfunc
