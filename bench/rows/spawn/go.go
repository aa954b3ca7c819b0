// SPDX-License-Identifier: MIT

// spawn, Go: batches of 1,000 goroutines that only count themselves done, and a wait for all of them.
// Timed: one goroutine: go, run, exit, and its share of the wait.
package main

import (
	"harness"
	"sync"
)

func main() {
	harness.Procs()
	harness.NsPerOp(func(n uint64) uint64 {
		done := uint64(0)
		for ; done < n; done += 1000 {
			var all sync.WaitGroup
			all.Add(1000)
			for i := 0; i < 1000; i++ {
				go all.Done()
			}
			all.Wait()
		}
		return done
	})
}
