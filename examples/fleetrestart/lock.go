package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// lock returns the lock under which the fleet is changed, where it is kept in the fleet's
// own directory. See register.go for a fleet of several machines.
func (a arguments) lock() *fleetlock.Lock {
	return fleetlock.File(filepath.Join(a.dir, "fleet.lock"), a.lockOptions()...)
}

func (a arguments) lockOptions() []fleetlock.Option {
	label := fmt.Sprintf("%s -agents %d", programName, a.agents)
	if a.stop {
		label = programName + " -stop"
	}
	options := []fleetlock.Option{fleetlock.Label(label)}
	if a.lease != 0 {
		options = append(options, fleetlock.Lease(a.lease))
	}
	return options
}

// acquire waits for the lock, for as long as the user asked for, and says for whom.
func acquire(ctx context.Context, lock *fleetlock.Lock, patience time.Duration, say *progress) (*fleetlock.Held, error) {
	began := time.Now()
	held, err := lock.TryAcquire(ctx)
	if busy := new(fleetlock.BusyError); errors.As(err, &busy) {
		say.line(lockName, "waiting, held by %s", describe(busy.Holder))
		held, err = wait(ctx, lock, patience, busy.Holder, say)
	}
	if err != nil {
		return nil, explain(ctx, err, "while waiting for the lock; nothing was done")
	}
	say.line(lockName, "granted after %s, token %d", brief(time.Since(began)), held.Token())
	return held, nil
}

// lookAgain is how often who waits looks for whom. That only makes the words be late;
// the lock itself does not wait for it.
const lookAgain = 200 * time.Millisecond

// wait acquires the lock and meanwhile tells whenever its holder changes.
func wait(ctx context.Context, lock *fleetlock.Lock, patience time.Duration, told fleetlock.Holder, say *progress) (*fleetlock.Held, error) {
	ctx, cancel := withPatience(ctx, patience)
	defer cancel()
	type grant struct {
		held *fleetlock.Held
		err  error
	}
	granted := make(chan grant, 1)
	go func() {
		held, err := lock.Acquire(ctx)
		granted <- grant{held, err}
	}()
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for {
		select {
		case g := <-granted:
			// A call of the register that takes too long has the same error.
			if ctx.Err() != nil && errors.Is(g.err, context.DeadlineExceeded) {
				return nil, waitError{patience, told, g.err}
			}
			return g.held, g.err
		case <-again.C:
			info, err := lock.Inspect(ctx)
			if err == nil && isHeld(info.State) && info.Holders[0].Token != told.Token && !isMe(info.Holders[0]) {
				told = info.Holders[0]
				say.line(lockName, "waiting, now held by %s", describe(told))
			}
		}
	}
}

func withPatience(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) {
	if patience == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, patience)
}

// explain puts an end by the user into words, in the place of what failed by it.
func explain(ctx context.Context, err error, when string) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w %s", context.Cause(ctx), when)
	}
	return err
}

// A waitError says that others had the lock for too long.
type waitError struct {
	patience time.Duration
	told     fleetlock.Holder // who had it when that was last seen
	cause    error
}

func (e waitError) Error() string {
	holder := e.told
	if busy := new(fleetlock.BusyError); errors.As(e.cause, &busy) {
		holder = busy.Holder
	}
	return fmt.Sprintf("gave up waiting for the lock after %s (-wait); nothing was done; it is held by %s", e.patience, describe(holder))
}

func (e waitError) Unwrap() error { return e.cause }

func isHeld(s fleetlock.State) bool {
	return s == fleetlock.StateHeld || s == fleetlock.StateDetached
}

// isMe reports whether the lock has just been granted to this process.
func isMe(h fleetlock.Holder) bool {
	host, _ := os.Hostname()
	return h.PID == os.Getpid() && h.Host == host
}

// describe says who has the lock, for people in front of the same machine.
func describe(h fleetlock.Holder) string {
	if h.Token == 0 || h.Detached {
		return h.String()
	}
	return fmt.Sprintf("%q (pid %d on %s) since %s, for %s",
		h.Label, h.PID, h.Host, h.Since.Local().Format(time.TimeOnly), brief(time.Since(h.Since)))
}
