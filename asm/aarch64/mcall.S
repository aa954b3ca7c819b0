// SPDX-License-Identifier: MIT
// void weft_mcall(void (*fn)(g*))
#include "abi.inc"
#include "save.inc"

handler weft_g0_personality
handler weft_badmcall
handler weft_badmcall2

func weft_mcall, weft_g0_personality
  load_g x1, x9
  cbz x1, .Lbad
  ldr x2, [x1, #G_M]
  ldr x2, [x2, #M_G0]
  cmp x1, x2
  b.eq .Lbad
  save_registers
  assert_aligned sp
  if_shared x1, G_SCHED, .Lwords_done
  save_fpcw x1, G_SCHED
.Lwords_done:
  save_context x1, G_SCHED, .Lresume
  mov x16, x0
  mov x0, x1
  store_g x2, x9, x10
  ldr x9, [x2, #G_SCHED + GOBUF_SP]
  mov sp, x9
  .cfi_def_cfa sp, 0
  .cfi_undefined x30                  // g0 ends here: the goroutine may run elsewhere
  mov x29, #0
  blr x16
  die weft_badmcall2
  resume_point .Lresume
  restore_registers
  ret
.Lbad:
  die_at_entry weft_badmcall
endfunc
