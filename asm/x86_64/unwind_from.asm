; SPDX-License-Identifier: MIT
; void weft_unwind_from(const gobuf*, void (*fn)(void*), void* arg)   Go has none: gentraceback starts anywhere
; Calls fn(arg), whose backtrace goes on in the context in the gobuf: by its rows this frame was called there.
;
; in      rdi = gobuf of a context at rest, which rests until the return; rsi = fn, rdx = arg
; out     returns when fn does; callee-saved registers as a call keeps them
; stack   any; this thread's g is neither read nor written
; also    an unwinder finds pc, sp and bp of that context, and no other register of it
; ends    weft_g0_personality: an exception leaves fn
%include "abi.inc"
%include "save.inc"

handler weft_g0_personality

func weft_unwind_from, weft_g0_personality, signal    ; signal: the gobuf's pc is no return address
  cfi_push rbx
  mov rbx, rdi
  cfi_raw DW_CFA_def_cfa_expression, 3, DW_OP_breg(DW_rbx), GOBUF_SP, DW_OP_deref, \
          DW_CFA_expression, DW_ra, 2, DW_OP_breg(DW_rbx), GOBUF_PC, \
          DW_CFA_expression, DW_rbp, 2, DW_OP_breg(DW_rbx), GOBUF_BP, DW_CFA_undefined, DW_rbx
  mov rdi, rdx
  call rsi
  nop                                 ; gdb takes a signal frame's pc as it is: it must not see the next row
  cfi_raw DW_CFA_def_cfa, DW_rsp, 16, DW_CFA_offset(DW_ra), 1, DW_CFA_restore(DW_rbp), DW_CFA_offset(DW_rbx), 2
  cfi_pop rbx
  ret
endfunc
