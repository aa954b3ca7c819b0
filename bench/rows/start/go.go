// SPDX-License-Identifier: MIT

// start, Go: the runtime starts, the main goroutine writes one line, the process exits.
// Timed from outside, by tools/exec_timer.c: until the line, and until the end.
package main

import "syscall"

func main() { syscall.Write(1, []byte("hello\n")) }
