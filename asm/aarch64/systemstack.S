// SPDX-License-Identifier: MIT
// void weft_systemstack(void (*fn)(void*), void* arg)
#include "abi.inc"
#include "save.inc"

handler weft_g0_personality
handler weft_badsystemstack

#define FRAME 32                      // x29 x30 | x19 and eight bytes for alignment

func weft_systemstack, weft_g0_personality
  .cfi_signal_frame                   // the caller is on another stack, which gdb takes for corruption else
  load_g x2, x9
  cbz x2, .Lbad
  ldr x3, [x2, #G_M]
  ldr x4, [x3, #M_G0]
  cmp x2, x4
  b.eq .Lon_g0
  ldr x9, [x3, #M_CURG]
  cmp x2, x9
  b.ne .Lbad
  sign_x30
  cfi_toggle_signed
  stp x29, x30, [sp, #-FRAME]!
  .cfi_def_cfa_offset FRAME
  .cfi_offset x29, -FRAME
  .cfi_offset x30, -FRAME + 8
  mov x29, sp
  .cfi_def_cfa x29, FRAME             // holds on both stacks: backtraces pass from g0 to g
  str x19, [sp, #16]
  .cfi_offset x19, -FRAME + 16
  mov x19, x2
  adr x9, .Lmark
  str x9, [x2, #G_SCHED + GOBUF_PC]
  str x29, [x2, #G_SCHED + GOBUF_SP]  // sp and x29 are the same here
  str x29, [x2, #G_SCHED + GOBUF_BP]
  store_g x4, x9, x10
  ldr x9, [x4, #G_SCHED + GOBUF_SP]
  assert_aligned x9
  mov sp, x9
  mov x16, x0
  mov x0, x1
  blr x16
  mov sp, x29
  store_g x19, x9, x10
  str xzr, [x19, #G_SCHED + GOBUF_SP]
  str xzr, [x19, #G_SCHED + GOBUF_BP]
  ldr x19, [sp, #16]
  .cfi_restore x19
  ldp x29, x30, [sp], #FRAME
  .cfi_def_cfa sp, 0
  .cfi_restore x29
  .cfi_restore x30
  authenticate_x30
  cfi_toggle_signed
  ret
.Lon_g0:
  mov x16, x0
  mov x0, x1
  br x16
.Lbad:
  die_at_entry weft_badsystemstack
endfunc

// void weft_systemstack_switch()
// Its rows are those of the frame in weft_systemstack whose sp and x29 the mark goes with.
bare_func weft_systemstack_switch
  cfi_toggle_signed
  .cfi_def_cfa x29, FRAME
  .cfi_offset x29, -FRAME
  .cfi_offset x30, -FRAME + 8
  .cfi_offset x19, -FRAME + 16
  brk #0
.Lmark:
  nop
  brk #0
endfunc
