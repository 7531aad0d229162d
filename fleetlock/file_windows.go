package fleetlock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Who may open the file is up to its access control list, which it gets from the
// directory. Perm means nothing here.
const hasModes = false

func trustOwner(fs.FileInfo, fs.FileMode) error { return nil }

// openFile opens a link or another reparse point itself, not what it leads to; that is
// no regular file then. It lets others delete and rename the file.
func openFile(path string, flag int) (*os.File, error) {
	access := uint32(windows.GENERIC_READ)
	if flag&os.O_RDWR != 0 {
		access |= windows.GENERIC_WRITE
	}
	return createFile(path, access)
}

func closeFile(f *os.File) { f.Close() }

func createFile(path string, access uint32) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	h, err := windows.CreateFile(name, access,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil,
		windows.OPEN_EXISTING, windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// Of the volume's device, FILE_FS_DEVICE_INFORMATION (MS-FSCC, 2.5.10). GetDriveType
// goes by the same, but asks for a drive's letter.
const (
	fileFsDeviceInformation = 4
	networkFileSystem       = 0x14 // FILE_DEVICE_NETWORK_FILE_SYSTEM
	remoteDevice            = 0x10 // FILE_REMOTE_DEVICE, a characteristic
)

var queryVolume = windows.NewLazySystemDLL("ntdll.dll").NewProc("NtQueryVolumeInformationFile")

func fitFileSystem(f *os.File) error {
	var (
		status windows.IO_STATUS_BLOCK
		device struct{ kind, characteristics uint32 }
	)
	code, _, _ := queryVolume.Call(f.Fd(), uintptr(unsafe.Pointer(&status)),
		uintptr(unsafe.Pointer(&device)), unsafe.Sizeof(device), fileFsDeviceInformation)
	if err := windows.NTStatus(code); err != windows.STATUS_SUCCESS {
		return os.NewSyscallError("NtQueryVolumeInformationFile", err)
	}
	if device.kind == networkFileSystem || device.characteristics&remoteDevice != 0 {
		return fmt.Errorf("%w: the file is on a network drive", ErrFileSystem)
	}
	return nil
}

// sameFile returns errMoved unless path leads to the file, not through a link.
func sameFile(path string, id fs.FileInfo) error {
	f, err := createFile(path, windows.FILE_READ_ATTRIBUTES)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, windows.ERROR_DELETE_PENDING):
		return errMoved
	case err != nil:
		return err
	}
	defer f.Close()
	now, err := f.Stat()
	if err == nil && !os.SameFile(id, now) {
		return errMoved
	}
	return err
}

// syncDir does nothing: a directory cannot be flushed. If the file's name is lost with
// the power, the next file's tokens are higher all the same, see writeFirst.
func syncDir(string) error { return nil }

var queryInterruptTime = windows.NewLazySystemDLL("kernelbase.dll").NewProc("QueryInterruptTime")

// uptime is the interrupt time, which Go's monotonic time is of (runtime,
// sys_windows_amd64.s), see [machineClock]. It goes on while the machine is suspended, unlike
// on Linux. GetTickCount64 is the same, but in steps of up to 16 ms.
func uptime() time.Duration {
	if queryInterruptTime.Find() != nil {
		return windows.DurationSinceBoot()
	}
	var t uint64
	_, _, _ = queryInterruptTime.Call(uintptr(unsafe.Pointer(&t)))
	return time.Duration(t) * 100
}

// bootID is the time of the boot, less by how much that was changed since because the
// clock was set (SYSTEM_TIMEOFDAY_INFORMATION). Microsoft does not document it. If
// it were to change while the machine runs, leases and tickets of processes that
// started before and after would not compare, as those of two boots do not: who lives
// then keeps the lock.
func bootID() [16]byte {
	var t struct {
		bootTime, now, zoneBias int64
		zone, _                 uint32
		bootTimeBias, sleepBias int64
	}
	err := windows.NtQuerySystemInformation(windows.SystemTimeOfDayInformation, unsafe.Pointer(&t), uint32(unsafe.Sizeof(t)), nil)
	if err != nil || t.bootTime == 0 {
		return randomID()
	}
	return hashID(strconv.FormatInt(t.bootTime-t.bootTimeBias, 10))
}
