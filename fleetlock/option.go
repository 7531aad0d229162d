package fleetlock

import (
	"fmt"
	"io/fs"
	"time"
)

// An Option changes how a lock is held. It is made by [Lease], [Label], [Perm],
// [NoSync] or [Slots].
type Option func(*options)

type options struct {
	lease  time.Duration
	label  string
	perm   fs.FileMode
	noSync bool
	clock  clock
	slots  int

	// before is asked before every system call, and its error taken for the call's. It
	// is nil but in tests.
	before func(call string) error
}

// MinLease is the shortest lease.
const MinLease = 100 * time.Millisecond

// maxLease bounds leases and tickets, so that no sum of times overflows.
const maxLease = 365 * 24 * time.Hour

// Lease has a holder give sign of life, from a goroutine of its own, and lets others
// take the lock from one that was silent for d. A quarter of d before that the holder
// counts as having lost it: its context ends and Err says so. d is at least [MinLease]
// and at most a year; that of a file does not run, on Linux, while the machine is
// suspended. Without a lease, or with one of zero, a lock is held until it is released
// or the process dies.
func Lease(d time.Duration) Option { return func(o *options) { o.lease = d } }

// Label is a text that others see of the holder, at most 128 bytes long.
func Label(text string) Option { return func(o *options) { o.label = text } }

// Perm is the mode of a lock file that has to be created, and the widest that is
// accepted of one that exists. Defaults to 0600. Who may read the file can keep others
// from the lock, and who may write it can do anything with it.
func Perm(mode fs.FileMode) Option { return func(o *options) { o.perm = mode } }

// NoSync leaves the file to the operating system's write-back. By default a grant is on
// the disk before it counts, so that tokens keep rising over a power failure.
func NoSync() Option { return func(o *options) { o.noSync = true } }

const maxLabel = 128

// collect applies the options and says which one is wrong.
func collect(opts []Option) (options, error) {
	o := options{perm: 0o600, clock: systemClock}
	for _, opt := range opts {
		opt(&o)
	}
	switch {
	case o.lease != 0 && o.lease < MinLease:
		return o, fmt.Errorf("fleetlock: a lease of %v is shorter than %v", o.lease, MinLease)
	case o.lease > maxLease:
		return o, fmt.Errorf("fleetlock: a lease of %v is longer than a year", o.lease)
	case o.slots < 0 || o.slots > MaxSlots:
		return o, fmt.Errorf("fleetlock: %d slots are not 1 to %d", o.slots, MaxSlots)
	case len(o.label) > maxLabel:
		return o, fmt.Errorf("fleetlock: a label of %d bytes is longer than %d", len(o.label), maxLabel)
	case o.perm&^0o666 != 0 || o.perm&0o600 != 0o600:
		return o, fmt.Errorf("fleetlock: %v is no mode for a file that its owner reads and writes", o.perm)
	}
	return o, nil
}
