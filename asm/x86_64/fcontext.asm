; SPDX-License-Identifier: MIT
; The entries of weft-fcontext: Boost.Context's switch, by its names and its ABI (include/weft/fcontext.h). An object
; of its own, in one piece: whoever links one of the three gets all of them, and none of another maker's.
;
; An fcontext at rest is a pointer to its frame, and nothing else is known of it:
;
;   higher addresses
;     return address of the call that suspended it, a multiple of 16 above it
;     rbx  r12  r13  r14  r15  rbp      pushed in this order
;     MXCSR (4 bytes)  x87 control word (2)
;   fcontext ->                         a multiple of 16
;
; All are left and continued by the same frame, so nothing changes for unwinders when rsp does: CFA = rsp + 64, before
; it of the context that is left, afterwards of the one that arrives. It goes on by `ret`: every call of jump_fcontext
; has its return, which keeps the return predictor in step (docs/performance.md).
%include "abi.inc"
%include "save.inc"

; The control words at the frame's lower end, for the macros that want a gobuf.
%define FRAME_WORDS(frame) frame - GOBUF_FPCW

; Leaves the running context and arrives in rdi's, at the moment before its return: rax = the context that was left.
; Clobbers rdi. A null rdi faults while the caller's frame still stands.
%macro leave_for_fcontext 0
  save_registers
  cfi_push rbp
  cfi_sub_rsp 8
  assert_aligned rsp
  assert_aligned rdi
  save_fpcw FRAME_WORDS(rsp)
  load_fpcw FRAME_WORDS(rsp), FRAME_WORDS(rdi)
  mov rax, rsp
  mov rsp, rdi
  cfi_add_rsp 8
  cfi_pop rbp
  restore_registers
%endmacro

; weft_transfer jump_fcontext(weft_fcontext to, void* data)
; in      rdi = to, rsi = data
; out     when somebody jumps to the context that rax named for to; rax:rdx = the transfer given then, {fctx, data};
;         callee-saved registers and control words as before
; stack   any; no g is read or written
public_func jump_fcontext
  leave_for_fcontext
  mov rdx, rsi
  ret
endfunc

; weft_transfer ontop_fcontext(weft_fcontext to, void* data, weft_transfer (*fn)(weft_transfer))
; As if the call that suspended to were a call of fn: what fn returns, that call returns.
; in      rdi = to, rsi = data, rdx = fn
; out     as jump_fcontext
; stack   any; fn({caller, data}) is entered on to's, in the place of its frame, with to's registers and control words
public_func ontop_fcontext
  leave_for_fcontext
  mov rdi, rax
  jmp rdx
endfunc

; weft_fcontext make_fcontext(void* stack_top, std::size_t size, void (*fn)(weft_transfer))
; Writes the frame of a context that "returns" to weft_fcontext_entry with fn in rbx.
; in      rdi = stack_top, rsi = size (of no interest), rdx = fn
; out     rax = the context, with the caller's control words   clobbers  rcx rdi
public_func make_fcontext
  and rdi, -16
  lea rcx, [weft_fcontext_entry.begin]
  lea rax, [rdi - 64]
  mov [rdi - 8], rcx
  mov [rdi - 16], rdx                 ; rbx
  xor ecx, ecx
  mov [rdi - 24], rcx
  mov [rdi - 32], rcx
  mov [rdi - 40], rcx
  mov [rdi - 48], rcx
  mov [rdi - 56], rcx                 ; rbp: chains of frame pointers end here
  mov [rdi - 64], rcx
  save_fpcw FRAME_WORDS(rax)
  ret
endfunc

; void weft_fcontext_entry()
; The base of every such context's stack.
; in      rbx = fn, rbp = 0, rax:rdx = the transfer, of the jump or from the function on top;
;         rsp = the top of the stack
; ends    weft_badfcontext: fn returned; backtraces (the caller is undefined)
handler weft_badfcontext

bare_func weft_fcontext_entry
  cfi_raw DW_CFA_def_cfa, DW_rsp, 0, DW_CFA_undefined, DW_ra
  nop                                 ; unwinders look up "return address minus one"
.begin:
  mov rdi, rax
  mov rsi, rdx
  call rbx
  call weft_badfcontext
  ud2
endfunc
