; SPDX-License-Identifier: MIT
; void weft_systemstack(void (*fn)(void*), void* arg)        Go: systemstack
; Calls fn(arg) on g0 and comes back. The goroutine stays running and owned by this m.
;
; in      rdi = fn, rsi = arg
; out     returns when fn does; callee-saved registers as a call keeps them
; stack   on g0: fn is called where we are, by a jump. On m.curg: fn runs on g0 from g0.sched.sp on
; also    g.sched = the mark weft_systemstack_switch with this frame's sp and bp, so that whoever
;         looks at the goroutine can unwind it; on return sp and bp there are 0 again
; ends    weft_badsystemstack: g is null, or neither g0 nor m.curg;
;         weft_g0_personality: an exception leaves fn ("panic on system stack")
%include "abi.inc"
%include "save.inc"

handler weft_g0_personality
handler weft_badsystemstack

func weft_systemstack, weft_g0_personality, signal
  load_g rdx
  test rdx, rdx
  jz .bad
  mov rcx, [rdx + G_M]
  mov r8, [rcx + M_G0]
  cmp rdx, r8
  je .on_g0
  cmp rdx, [rcx + M_CURG]
  jne .bad
  cfi_push rbp
  mov rbp, rsp
  cfi_raw DW_CFA_def_cfa_register, DW_rbp       ; holds on both stacks: backtraces pass from g0 to g
  push rbx
  cfi_raw DW_CFA_offset(DW_rbx), 3
  push rax                                      ; alignment
  mov rbx, rdx
  lea rax, [weft_systemstack_switch.mark]
  mov [rdx + G_SCHED + GOBUF_PC], rax
  mov [rdx + G_SCHED + GOBUF_SP], rsp
  mov [rdx + G_SCHED + GOBUF_BP], rbp
  store_g r8, rax
  mov rax, [r8 + G_SCHED + GOBUF_SP]
  assert_aligned rax
  mov rsp, rax
  mov rax, rdi
  mov rdi, rsi
  call rax
  lea rsp, [rbp - 16]                           ; rbx, and the alignment slot below it
  store_g rbx, rax
  xor eax, eax
  mov [rbx + G_SCHED + GOBUF_SP], rax
  mov [rbx + G_SCHED + GOBUF_BP], rax
  pop rax
  pop rbx
  cfi_raw DW_CFA_restore(DW_rbx)
  pop rbp
  cfi_raw DW_CFA_def_cfa, DW_rsp, 8, DW_CFA_restore(DW_rbp)
  ret
.on_g0:
  cfi_entry
  mov rax, rdi
  mov rdi, rsi
  jmp rax
.bad:
  die weft_badsystemstack
endfunc

; void weft_systemstack_switch()                             Go: systemstack_switch
; Never run: its inside is the pc that marks a goroutine which is on the system stack.
; Its rows are those of the frame in weft_systemstack whose rsp and rbp the mark goes with.
bare_func weft_systemstack_switch
  cfi_raw DW_CFA_def_cfa, DW_rbp, 16, DW_CFA_offset(DW_rbp), 2, DW_CFA_offset(DW_rbx), 3
  ud2
.mark:
  nop
  ud2
endfunc
