// SPDX-License-Identifier: MIT
// weft_transfer jump_fcontext(weft_fcontext to, void* data)
// weft_transfer ontop_fcontext(weft_fcontext to, void* data, weft_transfer (*fn)(weft_transfer))
// weft_fcontext make_fcontext(void* stack_top, std::size_t size, void (*fn)(weft_transfer))
// void weft_fcontext_entry()
// An fcontext points at this frame; the transfer travels in x0:x1 all the way, a fresh context has fn in x19:
//
//   higher addresses
//     the picture of save.inc, with x29 in the eight bytes above x30
//     FPCR (4 bytes, and 12 for alignment)
//   fcontext ->                         a multiple of 16
#include "abi.inc"
#include "save.inc"

#define WORDS_SIZE 16
#define FRAME_SIZE (SAVED_SIZE + WORDS_SIZE)
// FPCR at the frame's lower end, for the macros that want a gobuf.
#define FRAME_WORDS (-GOBUF_FPCW)

// Leaves the running context and arrives in x0's, at the moment before its return: x9 = the context that was left.
// Clobbers x10. A null x0 faults while the caller's frame still stands.
.macro leave_for_fcontext
  save_registers
  str x29, [sp, #8]
  .cfi_offset x29, 8 - SAVED_SIZE
  sub sp, sp, #WORDS_SIZE
  .cfi_def_cfa_offset FRAME_SIZE
  assert_aligned sp
  assert_aligned x0
  save_fpcw sp, FRAME_WORDS
  load_fpcw x0, FRAME_WORDS
  mov x9, sp
  mov sp, x0
  add sp, sp, #WORDS_SIZE
  .cfi_def_cfa_offset SAVED_SIZE
  ldr x29, [sp, #8]
  .cfi_restore x29
  restore_registers
.endm

public_func jump_fcontext
  leave_for_fcontext
  mov x0, x9
  ret
endfunc

public_func ontop_fcontext
  leave_for_fcontext
  mov x0, x9
  mov x16, x2
  br x16
endfunc

public_func make_fcontext
  and x16, x0, #-16
  adr x17, .Lfcontext_begin
  sign_x17_for_sp_in_x16
  sub x0, x16, #FRAME_SIZE
  save_fpcw x0, FRAME_WORDS
  stp x17, xzr, [x0, #WORDS_SIZE]      // x30; x29: chains of frame pointers end here
  str x2, [x0, #WORDS_SIZE + 16]      // x19
  ret
endfunc

handler weft_badfcontext

bare_func weft_fcontext_entry
  .cfi_def_cfa sp, 0
  .cfi_undefined x30
  nop                                 // unwinders look up "return address minus one"
.Lfcontext_begin:
  blr x19
  bl weft_badfcontext
  brk #0
endfunc
