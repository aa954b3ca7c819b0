; SPDX-License-Identifier: MIT
; Routines that break one rule each, and that the harness must find out. None has unwind rows: nothing
; may be thrown or unwound through them.

default rel
%include "layout.inc"

extern conf_land_call:function hidden

%macro entry 1
  align 16
  global %1:function hidden
%1:
%endmacro

section .text

; broken_REGISTER: clobbers it.
%macro broken_register 1
entry broken_%1
  not %1
  ret
%endmacro
  broken_register rbx
  broken_register rbp
  broken_register r12
  broken_register r13
  broken_register r14
  broken_register r15
  broken_register rcx                 ; wrong only for what promises more than the ABI

; Flips bits of MXCSR or of the x87 control word. The red zone serves as scratch.
%macro broken_mxcsr 2
entry broken_mxcsr_%1
  stmxcsr [rsp - 8]
  xor dword [rsp - 8], %2
  ldmxcsr [rsp - 8]
  ret
%endmacro
  broken_mxcsr rounding, 0x4000
  broken_mxcsr masks, 0x0080
  broken_mxcsr ftz, 0x8000
  broken_mxcsr daz, 0x0040
  broken_mxcsr flags, 0x0020          ; the one that may be changed

%macro broken_x87 2
entry broken_x87_%1
  fnstcw [rsp - 8]
  xor word [rsp - 8], %2
  fldcw [rsp - 8]
  ret
%endmacro
  broken_x87 rounding, 0x0800
  broken_x87 precision, 0x0100
  broken_x87 masks, 0x0001

entry broken_direction
  std
  ret

; Leaves rsp 16 too high, or too low.
entry broken_sp_high
  pop rax
  add rsp, 16
  jmp rax
entry broken_sp_low
  pop rax
  sub rsp, 16
  jmp rax

; Writes into its caller's frame; farther down than the red zone.
entry broken_above
  mov qword [rsp + 8 + 24], 0
  ret
entry broken_below
  mov qword [rsp - 136], 0
  ret

; Calls with rsp eight off.
entry broken_call
  call conf_land_call
  ret

; void broken_switch(rt::gobuf* from, rt::gobuf* to), a switch that forgets r13 and the control words.
entry broken_switch
  push rbx
  push r12
  push r14
  push r15
  mov [rdi + GOBUF_BP], rbp
  mov [rdi + GOBUF_SP], rsp
  lea rax, [.resume]
  mov [rdi + GOBUF_PC], rax
  mov rsp, [rsi + GOBUF_SP]
  mov rbp, [rsi + GOBUF_BP]
  jmp [rsi + GOBUF_PC]
.resume:
  pop r15
  pop r14
  pop r12
  pop rbx
  ret

section .note.GNU-stack noalloc noexec nowrite progbits
