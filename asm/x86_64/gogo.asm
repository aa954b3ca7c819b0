; SPDX-License-Identifier: MIT
; [[noreturn]] void weft_gogo(gobuf*)                        Go: gogo
; Continues the context in the gobuf on this thread.
;
; in      rdi = gobuf; gobuf.g, .pc and .sp are set
; out     never returns; this thread's g = gobuf.g; gobuf.sp = gobuf.bp = 0; .pc and .g stay; g.status = running,
;         when the caller's stack is left: from then on the P may be taken (runtime/sched/entry.hpp)
; stack   any; usually g0. The caller's frame is left as it is, and is dead if the stack is reused
; does not save anything of the caller
%include "abi.inc"
%include "save.inc"


func weft_gogo
  mov rdx, [rdi + GOBUF_G]
  mov rcx, [rdx]                      ; a null g faults here, while the caller's frame still stands
  test byte [rdi + GOBUF_FLAGS], GOBUF_SHARE_FPCW
  jnz .words_done
  stmxcsr [rsp - FPCW_SCRATCH + GOBUF_FPCW]   ; red zone: a gobuf-shaped scratch
  fnstcw  [rsp - FPCW_SCRATCH + GOBUF_X87CW]
  load_fpcw rsp - FPCW_SCRATCH, rdi
.words_done:
  mov rcx, [rdi + GOBUF_PC]
  store_g rdx, rax
  arrive rdi, 0, rcx
  xor eax, eax
  mov [rdi + GOBUF_SP], rax
  mov [rdi + GOBUF_BP], rax
  mov dword [rdx + G_STATUS], GSTATUS_RUNNING   ; release: x86 keeps stores in order
  jmp rcx
endfunc
