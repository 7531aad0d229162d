package fleetlock

import (
	"os"

	"golang.org/x/sys/unix"
)

// uptimeClock is CLOCK_MONOTONIC, which the package unix lacks (sys/time.h). It is not
// documented to go on or to stand still while the machine is suspended.
const uptimeClock = 3

func mountOf(f *os.File) (mount, error) {
	var st unix.Statvfs_t
	err := unix.Fstatvfs(int(f.Fd()), &st)
	return mount{unix.ByteSliceToString(st.Fstypename[:]), st.Flag&unix.MNT_LOCAL != 0}, os.NewSyscallError("fstatvfs", err)
}
