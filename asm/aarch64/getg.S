// SPDX-License-Identifier: MIT
// g* weft_getg()
// clobbers x0, x9
// Debuggers read where the thread-local is from the first two instructions (debug/weft_debug.py).
#include "abi.inc"

  .section .tbss, "awT", %nobits
  .balign 8
  .globl weft_tls_g
  .type weft_tls_g, %object
  .size weft_tls_g, 8
weft_tls_g:
  .zero 8

func weft_getg
  load_g x0, x9
  ret
endfunc
