package figures

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
)

// Machine describes what everything was measured on.
func Machine() string {
	text := fmt.Sprintf("%s, %s/%s, %d CPUs", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if gigabytes := memorySize(); gigabytes > 0 {
		text += fmt.Sprintf(", %d GB of memory", gigabytes)
	}
	return text
}

var memTotal = regexp.MustCompile(`MemTotal:\s+(\d+) kB`)

// memorySize is the memory in GB, or 0 where the system does not say as Linux does.
func memorySize() int {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	found := memTotal.FindSubmatch(text)
	if found == nil {
		return 0
	}
	kilobytes, err := strconv.Atoi(string(found[1]))
	if err != nil {
		return 0
	}
	return (kilobytes + 1<<19) >> 20
}
