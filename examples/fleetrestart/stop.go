package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// killPatience is how long the system may take to end a process that was killed.
const killPatience = 5 * time.Second

// stop ends a process and does not return before it is gone.
func (r *restart) stop(ctx context.Context, row *row) error {
	p, err := r.askToEnd(ctx, row)
	switch {
	case err != nil:
		return row.stuck(err)
	case row.before == 0:
		r.say.line(row.name, "does not run")
		row.state = "did not run"
		return r.forget(ctx, row.name)
	}
	r.say.line(row.name, "stopping pid %d", p.PID)
	row.state = "stopped"
	ended, err := p.awaitEnd(ctx, r.asked.grace)
	if err == nil && !ended {
		r.say.line(row.name, "still there after %s, killing pid %d", r.asked.grace, p.PID)
		row.state = "killed"
		err = r.kill(ctx, p)
	}
	if err != nil {
		return row.stuck(err)
	}
	r.say.line(row.name, "%s", row.state)
	return r.forget(ctx, row.name)
}

// askToEnd looks for the process and signals it, behind the fence. It leaves the row
// without a pid if there is no such process.
func (r *restart) askToEnd(ctx context.Context, row *row) (p pidFile, err error) {
	err = r.fleet.pass(ctx, r.held.Token(), func() error {
		p, err = r.fleet.read(row.name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		return p.signal(func(process *os.Process) error {
			row.before = p.PID
			if r.asked.fail[row.name] {
				return fmt.Errorf("pid %d: %w (-fail)", p.PID, fs.ErrPermission)
			}
			return terminate(process)
		})
	})
	return p, err
}

func (r *restart) kill(ctx context.Context, p pidFile) error {
	err := r.fleet.pass(ctx, r.held.Token(), func() error { return p.signal((*os.Process).Kill) })
	if err != nil {
		return err
	}
	ended, err := p.awaitEnd(ctx, killPatience)
	if err == nil && !ended {
		err = fmt.Errorf("pid %d is still there %s after it was killed", p.PID, killPatience)
	}
	return err
}

// forget removes the pid file of a process that will not be started again.
func (r *restart) forget(ctx context.Context, name string) error {
	if r.wants(name) {
		return nil // -status tells that it has ended
	}
	return r.fleet.pass(ctx, r.held.Token(), func() error { return r.fleet.remove(name) })
}
