// SPDX-License-Identifier: MIT
// void conf_call(conf::run*)
// As x86_64/harness.asm, which has the explanation. x16 and x17, the linker's to clobber between any
// two functions, are the only registers that are neither loaded nor recorded.

#include "layout.h"
#include "conf_layout.h"

#define HOST_FRAME 176

.macro entry name
  .balign 16
  .globl \name
  .hidden \name
  .type \name, %function
\name:
.endm

// dst := the run in progress.
.macro current dst
  adrp \dst, conf_current
  ldr \dst, [\dst, :lo12:conf_current]
.endm

// Every recorded register but sp and x30 to, or from, the state at x16.
.macro each_pair op
  \op x0, x1, [x16, #ST_X0]
  \op x2, x3, [x16, #ST_X2]
  \op x4, x5, [x16, #ST_X4]
  \op x6, x7, [x16, #ST_X6]
  \op x8, x9, [x16, #ST_X8]
  \op x10, x11, [x16, #ST_X10]
  \op x12, x13, [x16, #ST_X12]
  \op x14, x15, [x16, #ST_X14]
  \op x18, x19, [x16, #ST_X18]
  \op x20, x21, [x16, #ST_X20]
  \op x22, x23, [x16, #ST_X22]
  \op x24, x25, [x16, #ST_X24]
  \op x26, x27, [x16, #ST_X26]
  \op x28, x29, [x16, #ST_X28]
  \op d8, d9, [x16, #ST_D8]
  \op d10, d11, [x16, #ST_D10]
  \op d12, d13, [x16, #ST_D12]
  \op d14, d15, [x16, #ST_D14]
.endm

// State at x16 := the CPU's. Clobbers x17.
.macro record
  each_pair stp
  str x30, [x16, #ST_X30]
  mov x17, sp
  str x17, [x16, #ST_SP]
  mrs x17, fpcr
  str x17, [x16, #ST_FPCR]
.endm

// The CPU's := state at x16, but for sp and x30. Clobbers x17.
.macro load
  ldr x17, [x16, #ST_FPCR]
  msr fpcr, x17
  each_pair ldp
.endm

// Also in the upper halves of v8 to v15, which no call preserves.
.macro garbage_in v
  movi \v\().16b, #0xa5
.endm
.macro garbage_in_vectors
  .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  garbage_in v\n
  .endr
.endm

.macro host_registers op
  \op x19, x20, [sp, #16]
  \op x21, x22, [sp, #32]
  \op x23, x24, [sp, #48]
  \op x25, x26, [sp, #64]
  \op x27, x28, [sp, #80]
  \op d8, d9, [sp, #96]
  \op d10, d11, [sp, #112]
  \op d12, d13, [sp, #128]
  \op d14, d15, [sp, #144]
.endm

  .text

entry conf_call
  stp x29, x30, [sp, #-HOST_FRAME]!
  host_registers stp
  mrs x9, fpcr
  stp x9, x18, [sp, #160]
  adrp x9, conf_current
  str x0, [x9, :lo12:conf_current]
  mov x10, sp
  str x10, [x0, #RUN_HOST_SP]
  mov x10, #RUN_STEPS
  add x10, x0, x10
  str x10, [x0, #RUN_NEXT]
  add x16, x0, #RUN_IN
  garbage_in_vectors
  ldr x17, [x16, #ST_SP]
  mov sp, x17
  load
  current x16
  ldr x17, [x16, #RUN_TARGET]
  blr x17
  current x16
  mov x17, #1
  str x17, [x16, #RUN_RETURNED]
  add x16, x16, #RUN_OUT
  record
entry conf_finish                     // as step.then: the run ends here
  current x16
  ldr x17, [x16, #RUN_HOST_SP]
  mov sp, x17
  ldp x9, x18, [sp, #160]
  msr fpcr, x9
  host_registers ldp
  ldp x29, x30, [sp], #HOST_FRAME
  ret

// Arrival of kind x17: leaves the step in x16. Clobbers x17 and, once it is recorded, x9.
.macro land
  current x16
  ldr x16, [x16, #RUN_NEXT]
  str x17, [x16, #STEP_ID]
  add x16, x16, #STEP_FOUND
  record
  sub x16, x16, #STEP_FOUND
  add x17, x16, #STEP_SIZE
  current x9
  str x17, [x9, #RUN_NEXT]
.endm

// Loads what the step at x16 says and leaves in x17 where it goes on.
.macro take_step
  garbage_in_vectors
  add x16, x16, #STEP_POISON
  load
  sub x16, x16, #STEP_POISON
  ldr x17, [x16, #STEP_THEN]
.endm

.macro landing name, kind
entry \name
  mov x17, #\kind
  b landed_by_call
.endm

  landing conf_land_call, LANDED_CALL
  landing weft_goroutine_main, LANDED_GOROUTINE_MAIN
  landing weft_goexit1, LANDED_GOEXIT1
  landing weft_mstart1, LANDED_MSTART1
  landing weft_rt0_go, LANDED_RT0_GO

landed_by_call:
  land
  ldr x17, [x16, #STEP_THEN]
  cbz x17, .Lreturn
  take_step
  br x17
.Lreturn:
  .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
  mov x\n, #-1
  .endr
  ret

// Continued: goes on with a call. When that returns, it is the next arrival.
entry conf_land_jump
  mov x17, #LANDED_JUMP
  land
  take_step
  blr x17
  b conf_land_jump

// As step.then after a call: returns, with nothing but the control words changed.
entry conf_return_words
  add x16, x16, #STEP_FOUND
  each_pair ldp
  ret

  .bss
  .balign 8
  .globl conf_current
  .hidden conf_current
  .type conf_current, %object
  .size conf_current, 8
conf_current:
  .zero 8

  .section .note.GNU-stack, "", %progbits
