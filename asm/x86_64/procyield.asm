; SPDX-License-Identifier: MIT
; void weft_procyield(uint32_t cycles)                       Go: procyield
; in  edi = how many PAUSEs, at least 1   clobbers  edi   stack  any
%include "abi.inc"

func weft_procyield
.again:
  pause
  sub edi, 1
  jnz .again
  ret
endfunc
