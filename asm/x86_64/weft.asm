; SPDX-License-Identifier: MIT
; All entries as one object; weft_core.asm says why.
%include "weft_core.asm"
%include "goexit.asm"
%include "mstart.asm"
%include "mstart_stub.asm"
%include "rt0.asm"
%include "unwind_from.asm"
