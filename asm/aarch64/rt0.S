// SPDX-License-Identifier: MIT
// void weft_rt0(m* m0)
#include "abi.inc"

handler weft_rt0_go

#define FRAME 32                      // x29 x30 | x19 and eight bytes for alignment
#define G0_GUESSED_SIZE 64 * 1024     // until osinit asks the system, as in Go

func weft_rt0
  sign_x30
  cfi_toggle_signed
  stp x29, x30, [sp, #-FRAME]!
  .cfi_def_cfa_offset FRAME
  .cfi_offset x29, -FRAME
  .cfi_offset x30, -FRAME + 8
  mov x29, sp
  .cfi_def_cfa x29, FRAME
  str x19, [sp, #16]
  .cfi_offset x19, -FRAME + 16
  load_g x19, x9                      // what the thread had: null, or the g of an attached thread
  ldr x9, [x0, #M_G0]
  str x0, [x9, #G_M]
  mov x10, sp
  str x10, [x9, #G_STACK_HI]
  sub x10, x10, #G0_GUESSED_SIZE
  str x10, [x9, #G_STACK_LO]
  store_g x9, x10, x11
  bl weft_rt0_go
  store_g x19, x9, x10
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
