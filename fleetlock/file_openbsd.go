package fleetlock

import (
	"os"

	"golang.org/x/sys/unix"
)

// uptimeClock goes on while the machine is suspended, unlike on Linux (clock_gettime(2):
// CLOCK_UPTIME is the one that does not). So does Go's.
const uptimeClock = unix.CLOCK_MONOTONIC

func mountOf(f *os.File) (mount, error) {
	var st unix.Statfs_t
	err := unix.Fstatfs(int(f.Fd()), &st)
	return mount{unix.ByteSliceToString(st.F_fstypename[:]), st.F_flags&unix.MNT_LOCAL != 0}, os.NewSyscallError("fstatfs", err)
}
