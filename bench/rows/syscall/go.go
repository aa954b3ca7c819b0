// SPDX-License-Identifier: MIT

// syscall, Go: the cheapest system call by syscall.Syscall, which announces it (entersyscall). Timed: one call.
package main

import (
	"harness"
	"syscall"
)

func main() {
	harness.Procs()
	harness.NsPerOp(func(n uint64) uint64 {
		for i := uint64(0); i < n; i++ {
			syscall.Syscall(syscall.SYS_GETPPID, 0, 0, 0)
		}
		return n
	})
}
