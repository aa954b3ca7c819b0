// SPDX-License-Identifier: MIT

// spawn.join, Go: one goroutine at a time is started and waited for, its result comes through a channel
// of capacity 1 made for it, as is usual. Timed: from go to the result.
package main

import "harness"

func main() {
	harness.Procs()
	sum := uint64(0)
	harness.NsPerOp(func(n uint64) uint64 {
		for i := uint64(0); i < n; i++ {
			result := make(chan uint64, 1)
			go func(i uint64) { result <- i }(i)
			sum += <-result
		}
		return n
	})
}
