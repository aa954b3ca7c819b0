; SPDX-License-Identifier: MIT
; The direct switch, goroutine to goroutine without a stop on g0 (docs/ARCHITECTURE.md, decision 5).
; A goroutine may be found by other threads only once its registers are saved and its stack is
; left, so the arriving side publishes the one that left:
;
; void weft_switchto(g* from, g* to, uint32_t* where, uint32_t what)
;   ... by one release store, *where = what, made on to's stack.
; void weft_switchto_call(g* from, g* to, void (*fn)(void*), void* arg)
;   ... by calling fn(arg) on to's stack before to continues.
;
; in      rdi = from = this thread's g, rsi = to, suspended or fresh, to.m already set to from.m
; out     returns when from is continued; callee-saved registers and control words as before
; stack   a goroutine's; fn gets what is left of to's stack below its suspended frame
; also    to.status = running after that: from then on the P may be taken (runtime/sched/entry.hpp).
;         weft_switchto_call leaves this to fn
; order   the saves of from.sched precede the publication (release); whoever continues from has
;         read the published word with acquire
%include "abi.inc"
%include "save.inc"


; Everything up to the moment when to's stack is in use and from's is not. Leaves to's pc in r8.
%macro leave_for_other 0
  save_registers
  assert_aligned rsp
  assert_g_on_m rsi
  switch_fpcw rdi + G_SCHED, rsi + G_SCHED
  save_context rdi + G_SCHED, .resume
  mov r8, [rsi + G_SCHED + GOBUF_PC]
  store_g rsi, rax
  arrive rsi, G_SCHED, r8
%endmacro

func weft_switchto
  leave_for_other
  mov [rdx], ecx                      ; release: x86 keeps stores in order
  mov dword [rsi + G_STATUS], GSTATUS_RUNNING
  jmp r8
  resume_point .resume
  restore_registers
  ret
endfunc

func weft_switchto_call
  leave_for_other
  mov rdi, rcx
  mov rbx, r8                         ; to's restore tail loads rbx, a fresh goroutine has none
  cfi_raw DW_CFA_register, DW_ra, DW_rbx, DW_CFA_undefined, DW_rbx
  call rdx                            ; called and left by a jump, so that every ret finds its call
  jmp rbx
  resume_point .resume
  restore_registers
  ret
endfunc
