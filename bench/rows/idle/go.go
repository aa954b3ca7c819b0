// SPDX-License-Identifier: MIT

// idle, Go: the main goroutine sleeps for an hour.
// Measured from outside, from the first second on: wake-ups of all threads, and CPU time.
package main

import (
	"harness"
	"time"
)

func main() {
	harness.Procs()
	time.Sleep(time.Hour)
}
