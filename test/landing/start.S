// SPDX-License-Identifier: MIT
// void _start(), in the place of libc's start-up files, which Debian builds without landing pads: a program that is
// guarded with them dies before main. Initialisers are libc's affair (since glibc 2.34). Also what shows that pads
// matter.
#include "abi.inc"

bare_func _start
  .cfi_undefined x30
  pad_call
  mov x29, #0
  mov x30, #0
  mov x5, x0                          // rtld_fini
  ldr x1, [sp]                        // argc
  add x2, sp, #8                      // argv
  mov x6, sp
  adrp x0, :got:main
  ldr x0, [x0, :got_lo12:main]
  mov x3, #0
  mov x4, #0
  bl __libc_start_main
  brk #0
endfunc

// void without_a_pad(): a branch to it faults where pages are guarded.
bare_func without_a_pad
  nop
  ret
endfunc

// void for_a_jump(): begins with the pad of a place that is continued, which a call must not reach.
bare_func for_a_jump
  pad_jump
  ret
endfunc

// What C++ registers destructors with, in libgcc's start-up files otherwise.
  .data
  .balign 8
  .globl __dso_handle
  .hidden __dso_handle
  .type __dso_handle, %object
  .size __dso_handle, 8
__dso_handle:
  .xword 0

// libgcc's answer to whether the CPU has the atomics of Armv8.1, which a constructor without a pad gives otherwise.
  .globl __aarch64_have_lse_atomics
  .hidden __aarch64_have_lse_atomics
  .type __aarch64_have_lse_atomics, %object
  .size __aarch64_have_lse_atomics, 1
__aarch64_have_lse_atomics:
  .byte 0
