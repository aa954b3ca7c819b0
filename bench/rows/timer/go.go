// SPDX-License-Identifier: MIT

// timer, Go: a timer that is an hour away, among 1,000 others, is stopped and set again, as time-outs are that hardly
// ever come true. Timed: one stop and one reset.
package main

import (
	"harness"
	"time"
)

func main() {
	harness.Procs()
	others := make([]*time.Timer, 1000)
	for i := range others {
		others[i] = time.AfterFunc(time.Hour, func() {})
	}
	t := time.AfterFunc(time.Hour, func() {})
	harness.NsPerOp(func(n uint64) uint64 {
		for i := uint64(0); i < n; i++ {
			t.Stop()
			t.Reset(time.Hour)
		}
		return n
	})
	_ = others
}
