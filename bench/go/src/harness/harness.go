// SPDX-License-Identifier: MIT

// Package harness is harness.h for Go; that file tells how a program and the driver talk.
package harness

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"time"
)

func env(name string, otherwise uint64) uint64 {
	if n, err := strconv.ParseUint(os.Getenv(name), 10, 64); err == nil {
		return n
	}
	return otherwise
}

// Procs sets GOMAXPROCS to the workers that the driver asks for, and returns that number.
func Procs() int {
	n := int(env("WEFT_BENCH_PROCS", 1))
	runtime.GOMAXPROCS(n)
	return n
}

// Quick tells whether a large row may shrink.
func Quick() bool { return env("WEFT_BENCH_QUICK", 0) != 0 }

// Argument is the number that the program's argument at index gives, or otherwise.
func Argument(index int, otherwise uint64) uint64 {
	if len(os.Args) > index {
		if n, err := strconv.ParseUint(os.Args[index], 10, 64); err == nil {
			return n
		}
	}
	return otherwise
}

// Result prints one measured quantity; the empty quantity is the row itself.
func Result(value float64, unit, quantity string) {
	fmt.Println(strings.TrimRight(fmt.Sprintf("RESULT %.6g %s %s", value, unit, quantity), " "))
}

// NsPerOp calls batch with growing n until one call lasts long enough, and reports that call. batch
// runs about n operations and returns how many they were.
func NsPerOp(batch func(n uint64) uint64) {
	wanted := float64(env("WEFT_BENCH_MS", 100)) * 1e6
	for n := uint64(1); ; {
		before := time.Now()
		done := float64(batch(n))
		took := float64(time.Since(before).Nanoseconds())
		if took >= wanted {
			Result(took/done, "ns", "")
			return
		}
		next := 10 * done
		if took > wanted/100 {
			next = 1.2 * wanted / took * done
		}
		n = uint64(next) + 1
	}
}

func statusKB(field string) uint64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) > 1 && words[0] == field {
			n, _ := strconv.ParseUint(words[1], 10, 64)
			return n
		}
	}
	return 0
}

// MemoryBytes is the memory that the process uses now: resident pages and their page tables.
func MemoryBytes() float64 { return 1024 * float64(statusKB("VmRSS:")+statusKB("VmPTE:")) }

// PeakMB is the largest resident memory since the program started, in MB (10^6).
func PeakMB() float64 { return 1024 * float64(statusKB("VmHWM:")) / 1e6 }

// Percentiles reports a sample of latencies in ns. It sorts it.
func Percentiles(sample []int64) {
	sort.Slice(sample, func(i, j int) bool { return sample[i] < sample[j] })
	n := len(sample)
	Result(float64(sample[n/2]), "ns", "p50")
	Result(float64(sample[n*99/100]), "ns", "p99")
	Result(float64(sample[n*999/1000]), "ns", "p99.9")
}
