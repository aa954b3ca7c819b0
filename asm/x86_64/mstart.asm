; SPDX-License-Identifier: MIT
; void weft_mstart()                                         Go: mstart, and mstart0's return point
; Runs the scheduler on this thread's g0 until the m exits.
;
; in      this thread's g = g0 of an m, on g0's stack
; out     returns when g0.sched is continued (mexit: weft_gogo(&g0.sched)); callee-saved registers
;         and control words as before. Until then g0.sched is where mcall and systemstack land
; stack   g0, below the caller's frame
; ends    weft_badmstart: weft_mstart1 returned; weft_g0_personality: an exception on g0
%include "abi.inc"
%include "save.inc"

handler weft_g0_personality
handler weft_mstart1
handler weft_badmstart

func weft_mstart, weft_g0_personality
  load_g rdi
  save_registers
  save_fpcw rdi + G_SCHED
  save_context rdi + G_SCHED, .resume
  mov [rdi + G_SCHED + GOBUF_G], rdi
  assert_aligned rsp
  call weft_mstart1
  die weft_badmstart
  resume_point .resume
  restore_registers
  ret
endfunc
