package main

import (
	"context"
	"errors"
	"os"
	"time"
)

// Each system has a file with
//
//	born(pid)       when a process began, in words of the system's own; empty if there is
//	                none, or one that has ended and was not waited for yet
//	detach(cmd)     keeps a child out of the reach of the terminal's signals
//	terminate(p)    asks a process to end

// runs reports whether the process is there.
func (p pidFile) runs() (bool, error) {
	now, err := born(p.PID)
	return now == p.Born, err
}

// signal calls send for the process if it is there. The handle is taken before its age
// is looked at: where handles are bound to their process, as on Linux, no other one
// gets the signal.
func (p pidFile) signal(send func(*os.Process) error) error {
	handle, err := os.FindProcess(p.PID)
	if err != nil {
		return nil // Windows says so of a process that is not there
	}
	defer handle.Release()
	if there, err := p.runs(); !there || err != nil {
		return err
	}
	if err := send(handle); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// awaitEnd waits until the process is not there any more, and reports whether that
// was within the time. It is nobody's child, so there is nothing to wait for but that.
func (p pidFile) awaitEnd(ctx context.Context, patience time.Duration) (bool, error) {
	late := time.After(patience)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		if there, err := p.runs(); !there || err != nil {
			return err == nil, err
		}
		select {
		case <-time.After(pause):
		case <-late:
			there, err := p.runs()
			return !there && err == nil, err
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}
