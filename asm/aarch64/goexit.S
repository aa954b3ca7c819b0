// SPDX-License-Identifier: MIT
// [[noreturn]] void weft_goexit()
// A fresh gobuf has pc = weft_goexit + 4, where the landing pad stands.
#include "abi.inc"

handler weft_goexit_personality
handler weft_goroutine_main
handler weft_goexit1

bare_func weft_goexit, weft_goexit_personality
  .cfi_def_cfa sp, 0
  .cfi_undefined x30
  nop                                 // unwinders look up "return address minus one"
  pad_jump
  mov x29, #0
  bl weft_goroutine_main
  bl weft_goexit1
  brk #0
endfunc
