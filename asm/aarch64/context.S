// SPDX-License-Identifier: MIT
// void* weft_context_switch(weft_context* from, weft_context* to, void* value)
// void* weft_context_switch_ontop(weft_context* from, weft_context* to, void* (*fn)(void*), void* passed)
// void weft_context_make(weft_context* c, void* stack_top, void (*fn)(void*, void*), void* arg)
// void weft_context_entry()
// value travels in x2; a fresh context has fn in x19 and arg in x20.
#include "abi.inc"
#include "save.inc"

public_func weft_context_switch
  save_registers
  assert_aligned sp
  switch_fpcw x0, x1, 0
  save_context x0, 0, .Lresume_context
  ldr x16, [x1, #GOBUF_PC]
  arrive 1, 0, x16, signed
  br x16
  resume_point .Lresume_context, arrived
  mov x0, x2
  restore_registers
  ret
endfunc

public_func weft_context_switch_ontop
  save_registers
  assert_aligned sp
  switch_fpcw x0, x1, 0
  save_context x0, 0, .Lresume_context  // the same frame, so the same tail
  ldr x16, [x1, #GOBUF_PC]
  arrive 1, 0, x16, signed
  mov x0, x3
  mov x19, x16                        // to's own registers are in its frame: whoever left it has seen to that
  mov x20, x1
  .cfi_register x30, x19
  .cfi_undefined x19
  .cfi_undefined x20
  blr x2
  mov x2, x0
  mov x1, x20
  mov x16, x19
  br x16
endfunc

func weft_context_make
  and x16, x1, #-16
  adr x17, .Lcontext_begin
  sign_x17_for_sp_in_x16
  sub x1, x16, #SAVED_SIZE
  str x17, [x1]
  stp x2, x3, [x1, #16]
  str x1, [x0, #GOBUF_SP]
  str xzr, [x0, #GOBUF_BP]
  adr x9, .Lresume_context
  str x9, [x0, #GOBUF_PC]
  ret
endfunc

handler weft_badcontext

bare_func weft_context_entry
  .cfi_def_cfa sp, 0
  .cfi_undefined x30
  nop                                 // unwinders look up "return address minus one"
.Lcontext_begin:
  mov x29, #0
  mov x1, x0                          // the restore tail has put value there
  mov x0, x20
  blr x19
  bl weft_badcontext
  brk #0
endfunc
