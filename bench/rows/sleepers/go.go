// SPDX-License-Identifier: MIT

// sleepers, Go: 1,000,000 goroutines (--quick: 100,000) that each sleep for some time below a second, spread evenly.
// Timed: from the first start to the last end, and the peak memory.
package main

import (
	"harness"
	"sync"
	"time"
)

func main() {
	harness.Procs()
	count, s, mb := 1000000, "s", "MB"
	if harness.Quick() {
		count, s, mb = 100000, "s/100k", "MB/100k"
	}
	before := time.Now()
	var all sync.WaitGroup
	all.Add(count)
	for i := 0; i < count; i++ {
		go func(i int) {
			time.Sleep(time.Duration(i%1000*1000+i/1000%1000) * time.Microsecond)
			all.Done()
		}(i)
	}
	all.Wait()
	harness.Result(time.Since(before).Seconds(), s, "")
	harness.Result(harness.PeakMB(), mb, "rss")
}
