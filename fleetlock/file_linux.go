package fleetlock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

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

const hasModes = true

// openFile does not follow a link at the end of path, nor wait for the other end of a
// pipe. To read the record should not write to the inode, as the first read after a
// write does unless the file is opened with O_NOATIME. That is for the owner alone.
func openFile(path string, flag int) (*os.File, error) {
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

// trustOwner refuses a file of another user, who may do with it what he likes, unless it
// is to be shared.
func trustOwner(id fs.FileInfo, perm fs.FileMode) error {
	owner, me := id.Sys().(*syscall.Stat_t).Uid, uint32(os.Geteuid())
	if owner != me && owner != 0 && perm&0o022 == 0 {
		return fmt.Errorf("%w: it belongs to user %d, and this is user %d; a shared lock has a mode that others can write, see Perm",
			ErrUnsafe, owner, me)
	}
	return nil
}

// sameFile returns an error unless path leads to the file, not through a link.
func sameFile(path string, id fs.FileInfo) error {
	var now unix.Stat_t
	if err := unix.Lstat(path, &now); err != nil {
		return &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	then := id.Sys().(*syscall.Stat_t)
	if now.Dev != then.Dev || now.Ino != then.Ino {
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

func syncData(f *os.File) error { return os.NewSyscallError("fdatasync", unix.Fdatasync(int(f.Fd()))) }

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

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
