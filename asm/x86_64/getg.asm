; SPDX-License-Identifier: MIT
; g* weft_getg()                                             Go: getg, the compiler's intrinsic
; The home of weft's only thread-local, and the only way for C++ to read it.
;
; Debuggers read where the thread-local is from the first instruction (debug/weft_debug.py).
; in  nothing   out  rax = this thread's g, or null   clobbers  rax   stack  any
%include "abi.inc"

section .tbss nobits alloc write tls align=8
global weft_tls_g:notype hidden 8     ; NASM makes it TLS, for its section
weft_tls_g: resq 1

func weft_getg
  load_g rax
  ret
endfunc
