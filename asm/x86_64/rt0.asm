; SPDX-License-Identifier: MIT
; void weft_rt0(m* m0)                                       Go: rt0_go
; The host's thread becomes m0, and its stack m0's g0, until the runtime has stopped.
;
; in      rdi = m0, with m0.g0 pointing at its g0
; out     returns when weft_mstart has returned on this thread; g, callee-saved registers and
;         control words as before
; does    wires g0 (g0.m = m0, stack.hi = rsp, a guessed stack.lo), publishes it as this thread's g
;         and calls weft_rt0_go(m0), which goes on in C++: osinit (exact bounds), schedinit, newproc, mstart
; stack   the host's
%include "abi.inc"
%include "save.inc"

handler weft_rt0_go

%define G0_GUESSED_SIZE 64 * 1024     ; until osinit asks the system, as in Go

func weft_rt0
  cfi_push rbp
  mov rbp, rsp
  cfi_raw DW_CFA_def_cfa_register, DW_rbp
  push rbx
  cfi_raw DW_CFA_offset(DW_rbx), 3
  sub rsp, 8
  load_g rbx                          ; what the thread had: null, or the g of an attached thread
  mov rax, [rdi + M_G0]
  mov [rax + G_M], rdi
  mov [rax + G_STACK_HI], rsp
  lea rcx, [rsp - G0_GUESSED_SIZE]
  mov [rax + G_STACK_LO], rcx
  store_g rax, rcx
  call weft_rt0_go
  store_g rbx, rax
  mov rbx, [rbp - 8]
  cfi_raw DW_CFA_restore(DW_rbx)
  leave
  cfi_raw DW_CFA_def_cfa, DW_rsp, 8, DW_CFA_restore(DW_rbp)
  ret
endfunc
