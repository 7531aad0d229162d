package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// Numbers of the Windows API that package syscall does not name.
const (
	queryLimitedInformation = 0x1000
	invalidParameter        = syscall.Errno(87) // OpenProcess: there is no such process
	detachedProcess         = 0x8
	stillRunning            = 259
)

// born is the time at which the process was created, in units of 100 ns.
func born(pid int) (string, error) {
	process, err := syscall.OpenProcess(queryLimitedInformation, false, uint32(pid))
	if errors.Is(err, invalidParameter) {
		return "", nil
	}
	if err != nil {
		return "", os.NewSyscallError("OpenProcess", err)
	}
	defer syscall.CloseHandle(process)
	var code uint32
	if err := syscall.GetExitCodeProcess(process, &code); err != nil || code != stillRunning {
		return "", os.NewSyscallError("GetExitCodeProcess", err)
	}
	var created, ended, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(process, &created, &ended, &kernel, &user); err != nil {
		return "", os.NewSyscallError("GetProcessTimes", err)
	}
	return strconv.FormatInt(created.Nanoseconds()/100, 10), nil
}

// detach gives the child no console.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | detachedProcess}
}

// terminate cannot ask: a process without a console gets no signal.
func terminate(p *os.Process) error { return p.Kill() }
