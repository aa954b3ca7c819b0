// SPDX-License-Identifier: MIT

// skynet, Go: each goroutine starts ten and adds up what they send on one unbuffered channel; the leaves
// send their numbers. Timed: one whole tree of 1,000,000 leaves, and the peak memory.
package main

import (
	"harness"
	"time"
)

func tree(result chan<- uint64, first, leaves uint64) {
	if leaves == 1 {
		result <- first
		return
	}
	children := make(chan uint64)
	for i := uint64(0); i < 10; i++ {
		go tree(children, first+i*(leaves/10), leaves/10)
	}
	sum := uint64(0)
	for i := 0; i < 10; i++ {
		sum += <-children
	}
	result <- sum
}

func main() {
	harness.Procs()
	leaves, s, mb := uint64(1000000), "s", "MB"
	if harness.Quick() {
		leaves, s, mb = 100000, "s/100k", "MB/100k"
	}
	before := time.Now()
	result := make(chan uint64)
	go tree(result, 0, leaves)
	sum := <-result
	took := time.Since(before)
	if sum != leaves*(leaves-1)/2 {
		panic("wrong sum")
	}
	harness.Result(took.Seconds(), s, "")
	harness.Result(harness.PeakMB(), mb, "rss")
}
