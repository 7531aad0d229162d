package scope

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

var errNoNative = errors.New("there is no native access to ask")

// ask calls native access once, and returns an answer only if it came in time
// and is well formed.
func (r *Rules) ask(ctx context.Context, req AccessRequest) (Access, error) {
	if r.native == nil {
		return Access{}, errNoNative
	}
	if err := ctx.Err(); err != nil {
		return Access{}, fmt.Errorf("native access was not asked: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	access, err := r.call(ctx, req)
	late := lateness(ctx)
	switch {
	case err != nil && late != nil:
		// Drivers report a cancelled call in their own way, so the error
		// alone need not match the context's.
		return Access{}, fmt.Errorf("native access failed: %w (%w)", err, late)
	case err != nil:
		return Access{}, fmt.Errorf("native access failed: %w", err)
	case late != nil:
		return Access{}, fmt.Errorf("native access answered late: %w", late)
	}
	return access, r.checkAnswer(access)
}

// call makes an error of a panic.
func (r *Rules) call(ctx context.Context, req AccessRequest) (access Access, err error) {
	returned := false
	defer func() {
		// A flag instead of a look at what recover returns: that is nil for
		// panic(nil) under GODEBUG=panicnil=1. It is nil for runtime.Goexit as
		// well, but then nobody will see these results.
		if !returned {
			access, err = Access{}, &panicError{value: recover(), stack: debug.Stack()}
		}
	}()
	access, err = r.native.ReadAccess(ctx, req)
	returned = true
	return access, err
}

// lateness returns why an answer that comes now is too late, or nil. It looks at
// the clock too, because the timer of a context fires only when the scheduler
// comes to it.
func lateness(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// checkAnswer refuses a malformed answer, denials included: who answers with
// broken ids cannot be relied on for the rest.
func (r *Rules) checkAnswer(access Access) error {
	if len(access.Teams) > r.maxTeams {
		return fmt.Errorf("native access answered with %d teams, more than %d", len(access.Teams), r.maxTeams)
	}
	for i, team := range access.Teams {
		if !isID(team) {
			return fmt.Errorf("native access answered with a bad id as team %d of %d: %s", i+1, len(access.Teams), quoted(team))
		}
	}
	return nil
}

// panicError is a panic of native access. Its text has the stack, as that of
// net/http's log has: the panic is in the host's code, and the log is the only
// place where it will show.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string {
	return fmt.Sprintf("panic: %v\n\n%s", e.value, e.stack)
}

// Unwrap returns the value of the panic if it is an error.
func (e *panicError) Unwrap() error {
	err, _ := e.value.(error)
	return err
}
