// SPDX-License-Identifier: MIT
// void weft_unwind_from(const gobuf*, void (*fn)(void*), void* arg)
#include "abi.inc"
#include "save.inc"

handler weft_g0_personality

#define FRAME 32                      // x29 x30 | x19 and eight bytes for alignment
// DWARF 5, sections 7.24 and 7.7.1.
#define DW_CFA_def_cfa_expression 0x0f
#define DW_CFA_expression         0x10
#define DW_OP_breg19              0x83
#define DW_OP_deref               0x06

func weft_unwind_from, weft_g0_personality
  .cfi_signal_frame                   // the gobuf's pc is no return address
  sign_x30
  cfi_toggle_signed
  stp x29, x30, [sp, #-FRAME]!
  .cfi_def_cfa_offset FRAME
  .cfi_offset x29, -FRAME
  .cfi_offset x30, -FRAME + 8
  str x19, [sp, #16]
  .cfi_offset x19, -FRAME + 16
  mov x19, x0
  cfi_toggle_signed                   // the gobuf's pc is not signed
  .cfi_escape DW_CFA_def_cfa_expression, 3, DW_OP_breg19, GOBUF_SP, DW_OP_deref
  .cfi_escape DW_CFA_expression, 30, 2, DW_OP_breg19, GOBUF_PC
  .cfi_escape DW_CFA_expression, 29, 2, DW_OP_breg19, GOBUF_BP
  .cfi_undefined x19
  mov x0, x2
  blr x1
  nop                                 // gdb takes a signal frame's pc as it is: it must not see the next row
  cfi_toggle_signed
  .cfi_def_cfa sp, FRAME
  .cfi_offset x29, -FRAME
  .cfi_offset x30, -FRAME + 8
  .cfi_offset x19, -FRAME + 16
  ldr x19, [sp, #16]
  .cfi_restore x19
  ldp x29, x30, [sp], #FRAME
  .cfi_def_cfa sp, 0
  .cfi_restore x29
  .cfi_restore x30
  authenticate_x30
  cfi_toggle_signed
  ret
endfunc
