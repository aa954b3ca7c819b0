; SPDX-License-Identifier: MIT
; [[noreturn]] void weft_goexit()                            Go: goexit (and newproc1's planted pc)
; The base of every goroutine: a fresh gobuf has pc = weft_goexit + 1 (PCQuantum) and sp = the top of the stack.
; The return pc under a goroutine's first function is thus inside weft_goexit, as in Go, and here
; it gets there by a real call, so that the return predictor stays in step.
;
; in      this thread's g = the new goroutine, rsp a multiple of 16
; out     never returns: weft_goexit1 leaves for good
; ends    backtraces (the caller is undefined); an exception that gets here is reported by
;         weft_goexit_personality while the stack of the throw still stands
%include "abi.inc"

handler weft_goexit_personality
handler weft_goroutine_main
handler weft_goexit1

bare_func weft_goexit, weft_goexit_personality
  cfi_raw DW_CFA_def_cfa, DW_rsp, 0, DW_CFA_undefined, DW_ra
  nop                                 ; unwinders look up "return address minus one"
  pad                                 ; weft_goexit + 1
  xor ebp, ebp
  call weft_goroutine_main
  call weft_goexit1
  ud2
endfunc
