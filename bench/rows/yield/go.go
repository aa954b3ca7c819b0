// SPDX-License-Identifier: MIT

// yield, Go: N goroutines, the measuring one among them, do nothing but runtime.Gosched() on one P.
// Argument: N. Timed: one yield, of whichever goroutine; they are counted in a variable common to all
// (one P: no two run at once).
package main

import (
	"harness"
	"runtime"
)

var yields uint64
var stop bool

func main() {
	harness.Procs()
	for i := uint64(1); i < harness.Argument(1, 2); i++ {
		go func() {
			for !stop {
				yields++
				runtime.Gosched()
			}
		}()
	}
	runtime.Gosched()
	harness.NsPerOp(func(n uint64) uint64 {
		before := yields
		for yields-before < n {
			yields++
			runtime.Gosched()
		}
		return yields - before
	})
	stop = true
}
