//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package fleetlock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// openNew does not follow a link at the end of path, nor wait for the other end of a
// pipe.
func openNew(path string, flag int) (*os.File, error) {
	return os.OpenFile(path, flag|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
}

// A mount is where a file is: what kind of file system that is, and whether the kernel
// takes it for one of this machine (MNT_LOCAL, statfs(2)).
type mount struct {
	kind  string
	local bool
}

// guests are parts of the names of file systems that a process or the host of a virtual machine
// stands behind, some of which count as local: FUSE as fusefs, macfuse and osxfuse,
// NetBSD's puffs, FreeBSD's p9fs, and the shares of macOS guests.
var guests = []string{"fuse", "puffs", "p9fs", "virtiofs"}

func fitFileSystem(f *os.File) error {
	m, err := mountOf(f)
	if err != nil {
		return err
	}
	return m.fit()
}

func (m mount) fit() error {
	guest := func(name string) bool { return strings.Contains(m.kind, name) }
	if !m.local || slices.ContainsFunc(guests, guest) {
		return fmt.Errorf("%w: the file is on %s", ErrFileSystem, m.kind)
	}
	return nil
}

// sameFile returns errMoved unless path leads to the file, not through a link.
func sameFile(path string, id fs.FileInfo) error {
	now, err := os.Lstat(path)
	switch {
	case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR):
		return errMoved
	case err != nil:
		return err
	case !os.SameFile(id, now):
		return errMoved
	}
	return nil
}

// uptime is by the clock that Go's monotonic time is of, see [machineClock]: else what
// two processes make of it would differ once the machine was suspended.
func uptime() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(uptimeClock, &ts) // never fails with a clock that exists
	return time.Duration(ts.Nano())
}
