// SPDX-License-Identifier: MIT
// Routines that break one rule each, as x86_64/broken.asm.

#include "layout.h"

.macro entry name
  .balign 16
  .globl \name
  .hidden \name
  .type \name, %function
\name:
.endm

  .text

.macro broken_register name
entry broken_\name
  mvn \name, \name
  ret
.endm
  .irp name, x18,x19,x20,x21,x22,x23,x24,x25,x26,x27,x28,x29
  broken_register \name
  .endr
  broken_register x1                  // wrong only for what promises more than the ABI

.macro broken_vector name, v
entry broken_\name
  mvn \v\().8b, \v\().8b
  ret
.endm
  .irp n, 8,9,10,11,12,13,14,15
  broken_vector d\n, v\n
  .endr

entry broken_upper_half               // of v9: nobody may rely on it
  mov v9.d[1], xzr
  ret

.macro broken_fpcr name, bit
entry broken_fpcr_\name
  mrs x9, fpcr
  eor x9, x9, #(1 << \bit)
  msr fpcr, x9
  ret
.endm
  broken_fpcr rounding, 22
  broken_fpcr flush_to_zero, 24
  broken_fpcr default_nan, 25

entry broken_sp_high
  add sp, sp, #16
  ret
entry broken_sp_low
  sub sp, sp, #16
  ret

entry broken_above
  str xzr, [sp, #24]
  ret
entry broken_below                    // there is no red zone
  str xzr, [sp, #-8]
  ret

// Calls with sp eight off; itself it uses only an aligned sp, which the CPU may insist on.
entry broken_call
  str x30, [sp, #-16]!
  sub sp, sp, #8
  bl conf_land_call
  add sp, sp, #8
  ldr x30, [sp], #16
  ret

// void broken_switch(rt::gobuf* from, rt::gobuf* to), a switch that forgets x21, d9 and the control word.
#define SAVED 144
entry broken_switch
  sub sp, sp, #SAVED
  stp x30, x19, [sp]
  stp x20, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp d8, d10, [sp, #80]
  stp d11, d12, [sp, #96]
  stp d13, d14, [sp, #112]
  str d15, [sp, #128]
  adr x9, .Lresume
  str x9, [x0, #GOBUF_PC]
  str x29, [x0, #GOBUF_BP]
  mov x9, sp
  str x9, [x0, #GOBUF_SP]
  ldr x9, [x1, #GOBUF_SP]
  mov sp, x9
  ldr x29, [x1, #GOBUF_BP]
  ldr x9, [x1, #GOBUF_PC]
  br x9
.Lresume:
  ldp x30, x19, [sp]
  ldp x20, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp d8, d10, [sp, #80]
  ldp d11, d12, [sp, #96]
  ldp d13, d14, [sp, #112]
  ldr d15, [sp, #128]
  add sp, sp, #SAVED
  ret

  .section .note.GNU-stack, "", %progbits
