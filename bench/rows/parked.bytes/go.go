// SPDX-License-Identifier: MIT

// parked.bytes, Go: N goroutines wait on a channel that nobody closes. Argument: N.
// Measured: growth of resident memory and page tables per goroutine; time from the first go until all
// of them are parked, per goroutine.
package main

import (
	"harness"
	"runtime"
	"time"
)

var parked uint64 // one P

func main() {
	harness.Procs()
	number := harness.Argument(1, 100000)
	gate := make(chan int)
	memory := harness.MemoryBytes()
	before := time.Now()
	for i := uint64(0); i < number; i++ {
		go func() {
			parked++
			<-gate
		}()
	}
	for parked < number {
		runtime.Gosched()
	}
	took := time.Since(before)
	harness.Result((harness.MemoryBytes()-memory)/float64(number), "bytes", "")
	harness.Result(float64(took.Nanoseconds())/float64(number), "ns", "create")
}
