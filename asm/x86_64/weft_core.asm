; SPDX-License-Identifier: MIT
; The entries of weft-core as one object: NASM cannot refer to a thread-local of another object (its
; undefined symbols have no type, and ld refuses one for a TLS definition). GAS needs no such file. context.asm, which has
; no use for g, is an object of its own: a program that wants nothing else gets nothing else.
%include "getg.asm"
%include "setg.asm"
%include "procyield.asm"
%include "gogo.asm"
%include "mcall.asm"
%include "systemstack.asm"
%include "switchto.asm"
