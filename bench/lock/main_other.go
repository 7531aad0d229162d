//go:build !unix

package main

import (
	"fmt"
	"os"
	"runtime"
)

func main() {
	fmt.Fprintf(os.Stderr, "lock: there is no flock on %s to compare with; this runs on Linux, macOS and the BSDs\n", runtime.GOOS)
	os.Exit(1)
}
