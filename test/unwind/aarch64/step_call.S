// SPDX-License-Identifier: MIT
// unwind::words step_call(unwind::record* r, uintptr_t fn, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
// void wrong_cfa(), void wrong_register(), void wrong_end()
// As x86_64/step_call.asm, which has the explanation.
#include "abi.inc"
#include "save.inc"

#define FRAME (SAVED_SIZE + 64)

func step_call
  save_registers
  stp x29, x0, [sp, #-64]!
  .cfi_def_cfa_offset FRAME
  .cfi_offset x29, -FRAME
  stp x1, x2, [sp, #16]
  stp x3, x4, [sp, #32]
  str x5, [sp, #48]
  ldp x19, x20, [x0]
  ldp x21, x22, [x0, #16]
  ldp x23, x24, [x0, #32]
  ldp x25, x26, [x0, #48]
  ldp x27, x28, [x0, #64]
  ldr x29, [x0, #80]
  ldp d8, d9, [x0, #88]
  ldp d10, d11, [x0, #104]
  ldp d12, d13, [x0, #120]
  ldp d14, d15, [x0, #136]
  bl step_capture
  ldp x16, x0, [sp, #16]
  ldp x1, x2, [sp, #32]
  ldr x3, [sp, #48]
  blr x16
  ldr x29, [sp], #64
  .cfi_def_cfa_offset SAVED_SIZE
  .cfi_restore x29
  restore_registers
  ret
endfunc

// The row for the store comes one instruction late.
func wrong_cfa
  str x19, [sp, #-16]!
  nop
  .cfi_def_cfa_offset 16
  .cfi_offset x19, -16
  ldr x19, [sp], #16
  .cfi_def_cfa_offset 0
  .cfi_restore x19
  ret
endfunc

// d9 is said to stand where x20 does.
func wrong_register
  sub sp, sp, #16
  .cfi_def_cfa_offset 16
  str x20, [sp]
  .cfi_offset x20, -16
  str d9, [sp, #8]
  .cfi_offset d9, -16
  mov x20, #0
  fmov d9, xzr
  ldr x20, [sp]
  .cfi_restore x20
  ldr d9, [sp, #8]
  .cfi_restore d9
  add sp, sp, #16
  .cfi_def_cfa_offset 0
  ret
endfunc

// Called, and yet said to be the outermost.
bare_func wrong_end
  .cfi_undefined x30
  nop
  ret
endfunc
