package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// A restart is one run of the program while it has the lock.
type restart struct {
	fleet fleet
	held  *fleetlock.Held
	asked arguments
	say   *progress
	until context.Context // ends when the user interrupts
	rows  []*row          // the holder first
}

func newRestart(until context.Context, f fleet, held *fleetlock.Held, asked arguments, say *progress) *restart {
	return &restart{fleet: f, held: held, asked: asked, say: say, until: until}
}

// A step is one thing to do to one process.
type step struct {
	verb string
	row  *row
	do   func(context.Context, *row) error
}

// run takes one step after the other. A step that fails does not keep it from the next
// one, and every error is returned; an interrupt or the loss of the lock does.
func (r *restart) run() error {
	if err := r.begin(); err != nil {
		return err
	}
	var errs []error
	for _, s := range r.plan() {
		if err := r.mayGoOn(s); err != nil {
			return errors.Join(append(errs, err)...)
		}
		began := time.Now()
		err := s.do(r.held.Context(), s.row)
		s.row.took += time.Since(began)
		if err != nil {
			r.say.line(s.row.name, "%s failed: %v", s.verb, err)
			errs = append(errs, fmt.Errorf("%s %s: %w", s.verb, s.row.name, err))
		}
	}
	return errors.Join(errs...)
}

// begin shows the fleet this restarter's token: from then on it refuses what an earlier
// one may have on the way. So what is found here is all there is.
func (r *restart) begin() error {
	ctx, token := r.held.Context(), r.held.Token()
	if err := r.fleet.pass(ctx, token, func() error { return nil }); err != nil {
		return err
	}
	known, err := r.fleet.names()
	if err != nil {
		return err
	}
	names := append(known, r.asked.names()...)
	sortNames(names)
	for _, name := range slices.Compact(names) {
		r.rows = append(r.rows, &row{name: name, state: "not reached"})
	}
	return r.fleet.log(token, programName, "begins")
}

// plan is to stop the agents, then the holder, and to start them in reverse.
func (r *restart) plan() []step {
	var stops, starts []step
	for _, row := range r.rows {
		stops = append(stops, step{"stop", row, r.stop})
		if r.wants(row.name) {
			starts = append(starts, step{"start", row, r.start})
		}
	}
	if len(stops) > 0 && stops[0].row.name == holderName {
		stops = append(stops[1:], stops[0])
	}
	return append(stops, starts...)
}

func (r *restart) wants(name string) bool { return slices.Contains(r.asked.names(), name) }

// mayGoOn returns why the step may not be taken.
func (r *restart) mayGoOn(next step) error {
	if r.asked.hold > 0 {
		r.say.line(next.row.name, "%s in %s", next.verb, r.asked.hold)
		select {
		case <-time.After(r.asked.hold):
		case <-r.until.Done():
		case <-r.held.Context().Done():
		}
	}
	if err := r.held.Err(); err != nil {
		return fmt.Errorf("nothing more is done: %w", err)
	}
	if r.until.Err() != nil {
		return fmt.Errorf("%w before the %s of %s; run it again to complete this", context.Cause(r.until), next.verb, next.row.name)
	}
	return nil
}

// release gives the lock back. If it was lost, a step that met that has told; if none
// did, all of them passed the fence before anyone else did.
func (r *restart) release() error {
	if r.held.Err() == nil {
		_ = r.fleet.log(r.held.Token(), programName, "ends")
	}
	err := r.held.Release()
	if errors.Is(err, fleetlock.ErrLost) {
		return nil
	}
	if err == nil {
		r.say.line(lockName, "released")
	}
	return err
}
