; SPDX-License-Identifier: MIT
; void weft_setg(g*)                                         Go: setg_gcc
; in  rdi = g or null   out  this thread's g = rdi   clobbers  rax   stack  any
%include "abi.inc"


func weft_setg
  store_g rdi, rax
  ret
endfunc
