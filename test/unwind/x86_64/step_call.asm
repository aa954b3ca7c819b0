; SPDX-License-Identifier: MIT
; unwind::words step_call(unwind::record* r, uintptr_t fn, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
; Loads r.constants into the callee-saved registers, calls step_capture(r) and then fn(a, b, c, d) from
; this one frame: from inside fn an unwinder must find the constants here, and above what capture found. Returns what fn
; leaves in rax and rdx.
;
; void step_trap_on(), void step_trap_off(): the trap flag.
; void wrong_cfa(), void wrong_register(), void wrong_end(): functions a row of which lies.
%include "abi.inc"

handler step_capture

; r.constants, in the order of step_cpu.hpp.
%define CONSTANT(i) 8 * i

func step_call
  cfi_push rbp
  cfi_push rbx
  cfi_push r12
  cfi_push r13
  cfi_push r14
  cfi_push r15
  cfi_sub_rsp 56
  mov [rsp], rdi
  mov [rsp + 8], rsi
  mov [rsp + 16], rdx
  mov [rsp + 24], rcx
  mov [rsp + 32], r8
  mov [rsp + 40], r9
  mov rbx, [rdi + CONSTANT(0)]
  mov rbp, [rdi + CONSTANT(1)]
  mov r12, [rdi + CONSTANT(2)]
  mov r13, [rdi + CONSTANT(3)]
  mov r14, [rdi + CONSTANT(4)]
  mov r15, [rdi + CONSTANT(5)]
  call step_capture
  mov rdi, [rsp + 16]
  mov rsi, [rsp + 24]
  mov rdx, [rsp + 32]
  mov rcx, [rsp + 40]
  call [rsp + 8]
  cfi_add_rsp 56
  cfi_pop r15
  cfi_pop r14
  cfi_pop r13
  cfi_pop r12
  cfi_pop rbx
  cfi_pop rbp
  ret
endfunc

func step_trap_on
  pushfq
  or dword [rsp], 0x100
  popfq
  ret
endfunc

func step_trap_off
  pushfq
  and dword [rsp], ~0x100
  popfq
  ret
endfunc

; The row for the push comes one instruction late.
func wrong_cfa
  push rbx
  nop
  %assign %$offset %$offset + 8
  cfi_raw DW_CFA_def_cfa_offset, 16, DW_CFA_offset(DW_rbx), 2
  cfi_pop rbx
  ret
endfunc

; r12 is said to stand where r13 does.
func wrong_register
  cfi_push r12
  cfi_push r13
  cfi_raw DW_CFA_offset(DW_r12), 3
  xor r12d, r12d
  cfi_pop r13
  cfi_pop r12
  ret
endfunc

; Called, and yet said to be the outermost.
bare_func wrong_end
  cfi_outermost
  ret
endfunc
