; SPDX-License-Identifier: MIT
; void* weft_mstart_stub(void* m)                            Go: mstart_stub
; The start routine of every thread that the runtime makes (pthread_create calls it).
;
; in      rdi = m; m.g0 was made in allocm, and this thread's stack is m.g0's
; out     rax = null when the m has exited
; does    saves the callee-saved registers, takes g0 from the m, publishes it as this thread's g,
;         calls weft_mstart, forgets g, restores
; stack   the thread's own, which is g0's
; ends    backtraces: the caller, libc's thread start, is of no interest to a goroutine's reader
%include "abi.inc"

handler weft_mstart

bare_func weft_mstart_stub
  cfi_outermost
  pad
  cfi_push rbp
  cfi_push rbx
  cfi_push r12
  cfi_push r13
  cfi_push r14
  cfi_push r15
  cfi_sub_rsp 8
  mov rax, [rdi + M_G0]
  mov [rax + G_M], rdi
  store_g rax, rcx
  call weft_mstart
  xor eax, eax
  store_g rax, rcx
  cfi_add_rsp 8
  cfi_pop r15
  cfi_pop r14
  cfi_pop r13
  cfi_pop r12
  cfi_pop rbx
  cfi_pop rbp
  xor eax, eax
  ret
endfunc
