package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
)

// A sample is what a process holds at a moment.
type sample struct {
	Heap       float64 // bytes that are alive
	Resident   float64 // bytes of memory, as the system counts them; 0 where it is not Linux
	Goroutines float64
}

// takeSample collects garbage first, so that what is counted is in use.
func takeSample() sample {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return sample{Heap: float64(m.HeapAlloc), Resident: resident(), Goroutines: float64(runtime.NumGoroutine())}
}

func resident() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages float64
	if _, err := fmt.Fscan(bytes.NewReader(text), &size, &pages); err != nil {
		return 0
	}
	return pages * float64(os.Getpagesize())
}
