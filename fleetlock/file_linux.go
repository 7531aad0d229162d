package fleetlock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// networkFileSystems are those whose locks depend on a server, on the mount's options or
// on the kernel's version, by the magic number that statfs(2) gives. Byte-range locks
// there may be local to one machine, or be lost without a word when the server restarts, and
// inotify does not see what other machines do.
var networkFileSystems = map[uint32]string{
	unix.NFS_SUPER_MAGIC: "NFS",
	unix.SMB_SUPER_MAGIC: "SMB", unix.SMB2_SUPER_MAGIC: "SMB", unix.CIFS_SUPER_MAGIC: "CIFS",
	unix.CEPH_SUPER_MAGIC: "Ceph", unix.AFS_SUPER_MAGIC: "AFS", unix.AFS_FS_MAGIC: "AFS",
	unix.CODA_SUPER_MAGIC: "Coda", unix.NCP_SUPER_MAGIC: "NCP", unix.V9FS_MAGIC: "9P",
	unix.OCFS2_SUPER_MAGIC: "OCFS2", unix.FUSE_SUPER_MAGIC: "FUSE",
	0x01161970: "GFS2", 0x0BD00BD0: "Lustre", 0x47504653: "GPFS", 0x19830326: "BeeGFS",
	0xAAD7AAEA: "PanFS", 0x786F4256: "VirtualBox shared folder", 0xBACBACBC: "VMware shared folder",
}

// openNew does not follow a link at the end of path, nor wait for the other end of a
// pipe. To read the record should not write to the inode, as the first read after a
// write does unless the file is opened with O_NOATIME. That is for the owner alone.
func openNew(path string, flag int) (*os.File, error) {
	flag |= unix.O_NOFOLLOW | unix.O_NONBLOCK
	f, err := os.OpenFile(path, flag|unix.O_NOATIME, 0)
	if errors.Is(err, unix.EPERM) {
		return os.OpenFile(path, flag, 0)
	}
	return f, err
}

func fitFileSystem(f *os.File) error {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &st); err != nil {
		return os.NewSyscallError("fstatfs", err)
	}
	return fitMagic(uint32(st.Type))
}

func fitMagic(magic uint32) error {
	if name, network := networkFileSystems[magic]; network {
		return fmt.Errorf("%w: the file is on %s", ErrFileSystem, name)
	}
	return nil
}

// A systemPath is a path with the zero byte that system calls want behind it. To copy the
// path for that, as unix.Statx does, would be the dearest part of a look at a file.
type systemPath string

func newSystemPath(path string) systemPath { return systemPath(path + "\x00") }

func (p systemPath) String() string { return string(p[:len(p)-1]) }

func (p systemPath) statx(mask uintptr, st *unix.Statx_t) syscall.Errno {
	here := unix.AT_FDCWD
	_, _, errno := unix.Syscall6(unix.SYS_STATX, uintptr(here), uintptr(unsafe.Pointer(unsafe.StringData(string(p)))),
		unix.AT_SYMLINK_NOFOLLOW, mask, uintptr(unsafe.Pointer(st)), 0)
	return errno
}

// sameFile returns errMoved unless path leads to the file, not through a link.
//
// It does not ask for times. Since Linux 6.13 who was shown the time of a change makes
// the next write, however soon, write a later one to the inode, too.
func sameFile(path systemPath, id fs.FileInfo) error {
	var now unix.Statx_t
	switch errno := path.statx(unix.STATX_INO, &now); errno {
	case 0:
	case unix.ENOENT, unix.ENOTDIR:
		return errMoved
	default:
		return &fs.PathError{Op: "statx", Path: path.String(), Err: errno}
	}
	then := id.Sys().(*syscall.Stat_t)
	// A device has 32 bits in the Stat_t of MIPS, 64 in that of others.
	if unix.Mkdev(now.Dev_major, now.Dev_minor) != uint64(then.Dev) || now.Ino != then.Ino {
		return errMoved
	}
	return nil
}

// touch makes the event that listeners wait for: it sets the file's times to now.
func touch(f *os.File) error {
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, f.Fd(), 0, 0, 0, 0, 0)
	if errno != 0 {
		return os.NewSyscallError("utimensat", errno)
	}
	return nil
}

// yield lets others go first who are to run on this processor.
func yield() { _, _, _ = unix.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

func syncData(f *os.File) error { return os.NewSyscallError("fdatasync", unix.Fdatasync(int(f.Fd()))) }

// uptime is CLOCK_MONOTONIC: nobody can set it, it is one for all processes, and like
// Go's timers it stands still while the machine is suspended.
func uptime() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // never fails with a clock that exists
	return time.Duration(ts.Nano())
}

// bootID names what uptime counts from: the boot, and the time namespace. Where it
// cannot be read it is random, and leases do not compare with those of other processes.
func bootID() [16]byte {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return randomID()
	}
	namespace, _ := os.Readlink("/proc/self/ns/time") // there are none before Linux 5.6
	return hashID(strings.TrimSpace(string(text)), namespace)
}

// readAt and writeAt are those of f without its bookkeeping, which costs as much as a
// small read of the kernel's cache.
func readAt(f *os.File, b []byte) (int, error) {
	n, err := unix.Pread(int(f.Fd()), b, 0)
	runtime.KeepAlive(f)
	return max(n, 0), os.NewSyscallError("pread", err)
}

func writeAt(f *os.File, b []byte, at int64) error {
	n, err := unix.Pwrite(int(f.Fd()), b, at)
	runtime.KeepAlive(f)
	if err == nil && n != len(b) {
		err = unix.ENOSPC // what a short write to a file means
	}
	return os.NewSyscallError("pwrite", err)
}
