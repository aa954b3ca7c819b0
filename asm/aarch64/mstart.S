// SPDX-License-Identifier: MIT
// void weft_mstart()
#include "abi.inc"
#include "save.inc"

handler weft_g0_personality
handler weft_mstart1
handler weft_badmstart

func weft_mstart, weft_g0_personality
  load_g x0, x9
  save_registers
  save_fpcw x0, G_SCHED
  save_context x0, G_SCHED, .Lresume
  str x0, [x0, #G_SCHED + GOBUF_G]
  assert_aligned sp
  bl weft_mstart1
  die weft_badmstart
  resume_point .Lresume
  restore_registers
  ret
endfunc
