//go:build darwin || dragonfly || freebsd

package fleetlock

import (
	"os"

	"golang.org/x/sys/unix"
)

func mountOf(f *os.File) (mount, error) {
	var st unix.Statfs_t
	err := unix.Fstatfs(int(f.Fd()), &st)
	return mount{unix.ByteSliceToString(st.Fstypename[:]), st.Flags&unix.MNT_LOCAL != 0}, os.NewSyscallError("fstatfs", err)
}
