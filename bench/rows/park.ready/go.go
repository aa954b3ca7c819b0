// SPDX-License-Identifier: MIT

// park.ready, Go: two goroutines hand a token to and fro through two unbuffered channels.
// Timed: one round trip.
package main

import "harness"

func main() {
	harness.Procs()
	ping, pong := make(chan int), make(chan int)
	go func() {
		for token := range ping {
			pong <- token
		}
	}()
	harness.NsPerOp(func(n uint64) uint64 {
		for i := uint64(0); i < n; i++ {
			ping <- 1
			<-pong
		}
		return n
	})
	close(ping)
}
