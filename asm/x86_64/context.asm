; SPDX-License-Identifier: MIT
; The symmetric switch of weft-core, and where a fresh context begins (include/weft/context.h).
;
; void* weft_context_switch(weft_context* from, weft_context* to, void* value)
; in      rdi = from, rsi = to, rdx = value: both contexts begin with a gobuf
; out     returns when somebody switches to from; rax = the value given then; callee-saved registers
;         and control words as before (unless GOBUF_SHARE_FPCW)
; stack   any; no g is read or written
; does not save   the caller-saved registers, the sticky exception flags, errno, the signal mask
%include "abi.inc"
%include "save.inc"

public_func weft_context_switch
  save_registers
  assert_aligned rsp
  switch_fpcw rdi, rsi
  save_context rdi, .resume
  mov r8, [rsi + GOBUF_PC]
  arrive rsi, 0, r8
  jmp r8
  resume_point .resume
  mov rax, rdx
  restore_registers
  ret
endfunc

; void* weft_context_switch_ontop(weft_context* from, weft_context* to, void* (*fn)(void*), void* passed)
; The same, but fn(passed) is called on to's stack before to continues, and to gets what fn returns.
; in      rdi = from, rsi = to, rdx = fn, rcx = passed
; out     as weft_context_switch: from is suspended in the very same frame, and continued by its tail
; stack   fn's begins below to's red zone: who left to by inline code may have something there, and
;         need not have aligned rsp either
; throws  what leaves fn appears at the place where to was left, if that was a call
public_func weft_context_switch_ontop
  save_registers
  assert_aligned rsp
  switch_fpcw rdi, rsi
  save_context rdi, weft_context_switch.resume
  mov r8, [rsi + GOBUF_PC]
  arrive rsi, 0, r8
  mov rdi, rcx
  mov rbx, r8                         ; to's own registers are in its frame: whoever left it has seen to that
  mov r12, rsi
  mov r13, rsp
  cfi_raw DW_CFA_def_cfa, DW_r13, 0, DW_CFA_register, DW_ra, DW_rbx, DW_CFA_undefined, DW_rbx, \
          DW_CFA_undefined, DW_r12, DW_CFA_undefined, DW_r13
  sub rsp, 128                        ; psABI 3.2.2
  and rsp, -16
  call rdx
  mov rdx, rax
  mov rsi, r12
  mov rsp, r13
  jmp rbx
endfunc

; void weft_context_make(weft_context* c, void* stack_top, void (*fn)(void* arg, void* value), void* arg)
; Writes the frame that the restore tail of weft_context_switch expects: it "returns" to
; weft_context_entry with fn in rbx and arg in r12.
; in      rdi = c, whose flags and control words are set; rsi = stack_top; rdx = fn, rcx = arg
; out     c.sp, .pc and .bp set   clobbers  rax rsi
func weft_context_make
  and rsi, -16
  lea rax, [weft_context_entry.begin]
  mov [rsi - 8], rax
  mov [rsi - 16], rdx                 ; rbx
  mov [rsi - 24], rcx                 ; r12
  xor eax, eax
  mov [rsi - 32], rax
  mov [rsi - 40], rax
  mov [rsi - 48], rax
  sub rsi, 48
  mov [rdi + GOBUF_SP], rsi
  mov [rdi + GOBUF_BP], rax
  lea rax, [weft_context_switch.resume]
  mov [rdi + GOBUF_PC], rax
  ret
endfunc

; void weft_context_entry()
; The base of every context's stack.
; in      rbx = fn, r12 = arg, rax = value, rsp = the top of the stack
; ends    weft_badcontext: fn returned; backtraces (the caller is undefined)
handler weft_badcontext

bare_func weft_context_entry
  cfi_raw DW_CFA_def_cfa, DW_rsp, 0, DW_CFA_undefined, DW_ra
  nop                                 ; unwinders look up "return address minus one"
.begin:
  xor ebp, ebp
  mov rdi, r12
  mov rsi, rax
  call rbx
  call weft_badcontext
  ud2
endfunc
