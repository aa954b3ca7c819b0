// SPDX-License-Identifier: MIT

// wake.latency, Go: a goroutine sends to another, whose P is idle, and goes on computing, so that the
// other has to run on the idle M. Sampled: from just before the send to the first clock read after the
// receive.
package main

import (
	"fmt"
	"harness"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

func main() {
	if harness.Procs() < 2 {
		fmt.Println("SKIP needs two Ps")
		os.Exit(77)
	}
	size := 4000
	if harness.Quick() {
		size = 500
	}
	sample := make([]int64, size)
	epoch := time.Now()
	var wokeAt int64
	wake := make(chan int)
	go func() {
		for range wake {
			atomic.StoreInt64(&wokeAt, int64(time.Since(epoch)))
		}
	}()
	for i := range sample {
		runtime.Gosched()
		for from := time.Now(); time.Since(from) < 200*time.Microsecond; {
		}
		woken := int64(time.Since(epoch))
		wake <- 1
		at := int64(0)
		for at == 0 {
			at = atomic.SwapInt64(&wokeAt, 0)
		}
		sample[i] = at - woken
	}
	harness.Percentiles(sample)
}
