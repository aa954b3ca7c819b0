; SPDX-License-Identifier: MIT
; void conf_call(conf::run*)
; Calls a routine with every register, control word and the stack chosen by run.in, and records in
; run.out what it finds afterwards. Nothing of the routine is trusted: all is found again through
; conf_current, the host's own state through run.host_sp.
;
; conf_land_call, conf_land_jump and the runtime's handlers: where routines under test call to, or continue
; contexts. Each arrival takes the next step of the run: it records the state in step.found, loads
; that of step.poison (but for rsp) and goes on at step.then. With step.then = 0 it returns.

default rel
%include "layout.inc"
%include "conf_layout.inc"

%macro entry 1
  align 16
  global %1:function hidden
%1:
%endmacro

; op for every recorded register but rsp and rax: each_register op, state
%macro each_register 2
  %1 rbx, %2 + ST_RBX
  %1 rcx, %2 + ST_RCX
  %1 rdx, %2 + ST_RDX
  %1 rsi, %2 + ST_RSI
  %1 rdi, %2 + ST_RDI
  %1 rbp, %2 + ST_RBP
  %1 r8,  %2 + ST_R8
  %1 r9,  %2 + ST_R9
  %1 r10, %2 + ST_R10
  %1 r11, %2 + ST_R11
  %1 r12, %2 + ST_R12
  %1 r13, %2 + ST_R13
  %1 r14, %2 + ST_R14
  %1 r15, %2 + ST_R15
%endmacro
%macro put 2
  mov [%2], %1
%endmacro
%macro get 2
  mov %1, [%2]
%endmacro

; state at %1 (an address with rax as its base) := the CPU's. rax stands in conf_rax. Clobbers rcx.
%macro record 1
  each_register put, %1
  mov [%1 + ST_SP], rsp
  mov rcx, [conf_rax]
  mov [%1 + ST_RAX], rcx
  stmxcsr [%1 + ST_MXCSR]
  fnstcw [%1 + ST_X87CW]
  mov rcx, [conf_current]
  mov rsp, [rcx + RUN_HOST_SP]        ; the stack under test is not ours to push on
  pushfq
  pop rcx
  mov [%1 + ST_FLAGS], rcx
  cld
  mov rsp, [%1 + ST_SP]
%endmacro

; The CPU's := state at %1, but for rsp and rax.
%macro load 1
  ldmxcsr [%1 + ST_MXCSR]
  fldcw [%1 + ST_X87CW]
  each_register get, %1
%endmacro

%macro garbage_in_vectors 0
  %assign i 0
  %rep 16
  pcmpeqd xmm %+ i, xmm %+ i
  %assign i i + 1
  %endrep
%endmacro

section .text

entry conf_call
  push rbp
  push rbx
  push r12
  push r13
  push r14
  push r15
  sub rsp, 24
  stmxcsr [rsp]
  fnstcw [rsp + 4]
  mov [conf_current], rdi
  mov [rdi + RUN_HOST_SP], rsp
  lea rax, [rdi + RUN_STEPS]
  mov [rdi + RUN_NEXT], rax
  mov rax, [rdi + RUN_TARGET]
  mov [conf_target], rax
  mov rax, rdi
  garbage_in_vectors
  load rax + RUN_IN
  mov rsp, [rax + RUN_IN + ST_SP]
  mov rax, [rax + RUN_IN + ST_RAX]
  call [conf_target]
  mov [conf_rax], rax
  mov rax, [conf_current]
  mov qword [rax + RUN_RETURNED], 1
  record rax + RUN_OUT
entry conf_finish                     ; as step.then: the run ends here
  mov rax, [conf_current]
  mov rsp, [rax + RUN_HOST_SP]
  cld
  ldmxcsr [rsp]
  fldcw [rsp + 4]
  add rsp, 24
  pop r15
  pop r14
  pop r13
  pop r12
  pop rbx
  pop rbp
  ret

; Arrival of kind %1: leaves the step in rax.
%macro land 1
  mov [conf_rax], rax
  mov rax, [conf_current]
  mov rax, [rax + RUN_NEXT]
  mov qword [rax + STEP_ID], %1
  record rax + STEP_FOUND
  mov rcx, [conf_current]
  add qword [rcx + RUN_NEXT], STEP_SIZE
%endmacro

; Called: goes on with a jump, so that the return address stays where it is.
%macro landing 2
entry %1
  land %2
  jmp landed_by_call
%endmacro

  landing conf_land_call, LANDED_CALL
  landing weft_goroutine_main, LANDED_GOROUTINE_MAIN
  landing weft_goexit1, LANDED_GOEXIT1
  landing weft_mstart1, LANDED_MSTART1
  landing weft_rt0_go, LANDED_RT0_GO

landed_by_call:
  garbage_in_vectors
  cmp qword [rax + STEP_THEN], 0
  je .return
  load rax + STEP_POISON
  jmp [rax + STEP_THEN]
.return:
  mov rcx, -1
  mov rdx, rcx
  mov rsi, rcx
  mov rdi, rcx
  mov r8, rcx
  mov r9, rcx
  mov r10, rcx
  mov r11, rcx
  mov rax, rcx
  ret

; Continued: goes on with a call. When that returns, it is the next arrival.
entry conf_land_jump
  land LANDED_JUMP
  garbage_in_vectors
  load rax + STEP_POISON
  call [rax + STEP_THEN]
  jmp conf_land_jump

; As step.then after a call: returns, with nothing but the control words changed.
entry conf_return_words
  each_register get, rax + STEP_FOUND
  ret

section .bss nobits alloc write align=8
global conf_current:data hidden 8
conf_current: resq 1
conf_target: resq 1
conf_rax: resq 1

section .note.GNU-stack noalloc noexec nowrite progbits
