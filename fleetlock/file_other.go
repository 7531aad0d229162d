//go:build !linux

package fleetlock

import (
	"errors"
	"io"
	"os"
)

// A systemPath is a path in the form that system calls take.
type systemPath = string

func newSystemPath(path string) systemPath { return path }

// readAt reads from the start of the file, less than fits into b only at its end.
func readAt(f *os.File, b []byte) (int, error) {
	n, err := f.ReadAt(b, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func writeAt(f *os.File, b []byte, at int64) error {
	_, err := f.WriteAt(b, at)
	return err
}

// touch does nothing: nobody is told of what happens to the file, see watch.
func touch(*os.File) error { return nil }

// yield does nothing: a release wakes nobody.
func yield() {}

// syncData is fsync(2), on macOS F_FULLFSYNC, because fsync alone leaves the data in the
// disk's cache there, and on Windows FlushFileBuffers.
func syncData(f *os.File) error { return f.Sync() }
