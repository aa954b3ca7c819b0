// SPDX-License-Identifier: MIT
// void weft_switchto(g* from, g* to, uint32_t* where, uint32_t what)
// void weft_switchto_call(g* from, g* to, void (*fn)(void*), void* arg)
// The publications are STLRs, which order every earlier load and store before them.
#include "abi.inc"
#include "save.inc"

// Everything up to the moment when to's stack is in use and from's is not. Leaves to's pc in x16.
.macro leave_for_other resume
  save_registers
  assert_aligned sp
  assert_g_on_m x1, x9
  switch_fpcw x0, x1, G_SCHED
  save_context x0, G_SCHED, \resume
  ldr x16, [x1, #G_SCHED + GOBUF_PC]
  store_g x1, x9, x10
  arrive 1, G_SCHED, x16, signed
.endm

func weft_switchto
  leave_for_other .Lresume
  stlr w3, [x2]
  store_running x1, x9, w10
  br x16
  resume_point .Lresume, arrived
  restore_registers
  ret
endfunc

func weft_switchto_call
  leave_for_other .Lresume_call
  mov x0, x3
  mov x19, x16                        // to's restore tail loads x19, a fresh goroutine has none
  .cfi_register x30, x19
  .cfi_undefined x19
  blr x2                              // called and left by a branch, so that every ret finds its call
  mov x16, x19
  br x16
  resume_point .Lresume_call, arrived
  restore_registers
  ret
endfunc
