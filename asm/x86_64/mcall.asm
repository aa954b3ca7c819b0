; SPDX-License-Identifier: MIT
; void weft_mcall(void (*fn)(g*))                            Go: mcall
; Leaves the goroutine and calls fn(its g) on g0. Returns when somebody continues the goroutine.
;
; in      rdi = fn; this thread's g is a goroutine of an m
; out     returns when g.sched is continued; callee-saved registers and control words as before
; stack   called on a goroutine's stack; fn runs on g0's, from g0.sched.sp on, with rbp = 0
; ends    weft_badmcall: called on g0, or on a thread without a g; weft_badmcall2: fn returned
%include "abi.inc"
%include "save.inc"

handler weft_g0_personality
handler weft_badmcall
handler weft_badmcall2

func weft_mcall, weft_g0_personality
  load_g rsi
  test rsi, rsi
  jz .bad
  mov rdx, [rsi + G_M]
  mov rdx, [rdx + M_G0]
  cmp rsi, rdx
  je .bad
  save_registers
  assert_aligned rsp
  test byte [rsi + G_SCHED + GOBUF_FLAGS], GOBUF_SHARE_FPCW
  jnz .words_done
  save_fpcw rsi + G_SCHED
.words_done:
  save_context rsi + G_SCHED, .resume
  mov rcx, rdi
  mov rdi, rsi
  store_g rdx, rax
  mov rsp, [rdx + G_SCHED + GOBUF_SP]
  cfi_raw DW_CFA_def_cfa, DW_rsp, 0, DW_CFA_undefined, DW_ra   ; g0 ends here: the goroutine may run elsewhere
  xor ebp, ebp
  call rcx
  die weft_badmcall2
  resume_point .resume
  restore_registers
  ret
.bad:
  cfi_entry
  die weft_badmcall
endfunc
