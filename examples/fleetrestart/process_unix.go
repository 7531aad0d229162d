//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// detach gives the child a session of its own.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }
