package fleetlock

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Register is a place that many machines reach and that keeps one record for each
// name: a database, a consensus store. [On] makes locks of it. Its methods may be called
// at the same time, and return soon after their context has ended.
//
// Package fleetlock/fleetlocktest has the tests that every register must pass.
type Register interface {
	// Load returns the record of a name, as it is after every swap that has returned
	// before Load was called. A name without a record has one of version zero.
	Load(ctx context.Context, name string) (Record, error)

	// Swap puts next in the place of the record of version seen and returns its
	// version, in one step that either happens whole or not at all. It is ErrChanged
	// if the register no longer holds seen. After any other error it is uncertain
	// whether next is there, or will be.
	Swap(ctx context.Context, name string, seen uint64, next Record) (uint64, error)

	// Watch calls changed once it is watching a name, and soon after each change of its
	// record that is not Quiet; more calls do no harm. It returns ctx's error when ctx
	// ends, and another when it cannot go on. changed does not block.
	Watch(ctx context.Context, name string, changed func()) error
}

// ErrChanged is what a Register answers to a swap of a version that it no longer holds.
var ErrChanged = errors.New("fleetlock: the record has changed")

// A Record is what a [Register] keeps under a name.
type Record struct {
	// Version tells the record from all others that the name has had and will have. It
	// is zero for a name that has no record. Swap ignores it.
	Version uint64

	// Token is the highest fencing token that was granted under the name, at most
	// 1<<63-1. Load may give a higher one, which the next grant is then above: a
	// register that can lose records gives one that is above all that it may have lost.
	Token uint64

	// Text is JSON, less than 64 KiB, which the register keeps to the byte.
	Text string

	// Terms are the times for which the record grants something.
	Terms []Term

	// Quiet says that nobody waits for this change. Load ignores it.
	Quiet bool
}

// A Term is a time that the register measures by its own clock.
type Term struct {
	// ID tells the terms of a record apart: up to 64 of the characters a-z and 0-9.
	ID string

	// Length has the term start when the record is written, which is after Swap was
	// called. Zero in Swap leaves the term of this ID as it is in the record that is
	// replaced, and a term that is not named ends. Load ignores it.
	Length time.Duration

	// Left is for how long at most the term still runs; nothing when it is over. It may
	// be more than the time that is really left, for as long as Watch tells of the end
	// of the term, but is nothing only when the whole Length has passed. Swap ignores
	// it.
	Left time.Duration
}

// MaxSlots is how many holders a lock can have at once: as many as have room in its record,
// whatever their labels.
const MaxSlots = 100

// Slots lets n processes hold a lock at once, at most [MaxSlots]; without it that is one.
// Everyone who uses the lock has to give the same n: who gives more is granted the lock
// beside more holders. Of those who wait, 40 with the most slots and 400 with the fewest
// have a place in the line, and others come into it when there is room.
//
// A lock of [File] with more than one slot is one like those of [On], kept in the file: it
// needs a [Lease], its [Label] has to be printable, and its waiters stand in a line. But
// since it is on one machine, a holder that dies leaves its slot at once, as one who waits
// does its place in the line. A file is either that of a lock with slots or of one without;
// who takes it for the other gets [ErrUnsafe].
func Slots(n int) Option {
	return func(o *options) {
		if o.slots = n; n == 0 {
			o.slots = -1
		}
	}
}

// On returns the lock of a name in a register. It is the lock that [File] returns, among
// as many machines as reach the register, but for this:
//
//   - It needs a [Lease], because from afar nobody can tell a dead holder from one that
//     is cut off. A holder that cannot reach the register gives up a quarter of the
//     lease before anyone else may be granted the lock, by its own clock, which it reads
//     before each renewal is sent. The lease goes on at the register while the machine is
//     suspended or its virtual machine stands still: who wakes from that asks Err first.
//   - Err asks the register, and takes up to a quarter of the lease, or a second, if it
//     does not answer. So do the methods with a context that does not end before. Release
//     and a wait take up to a whole lease. Errors of the register that pass within that
//     time do not show. That of a call which took too long matches
//     context.DeadlineExceeded, as that of a wait whose time is up does; ctx.Err tells
//     them apart.
//   - Those who wait stand in a line that the register keeps, and are served in the order
//     in which they came to it, before any TryAcquire. As many as there are slots are at its
//     front. One who dies there keeps the place for its lease; one who dies behind, for its
//     lease from when somebody who asks for the lock, or leaves it, brings the place there.
//     So a line of the dead takes a lease for each front of it.
//   - Who gives up leaves the line, which takes half a second, or a sixty-fourth of the
//     lease, if the register does not answer, and a quarter of it if very many leave at
//     once; a place that is left behind is that of one who died. A grant that is under way
//     is given back; one that is made only after that leaves the lock to nobody for a lease.
//   - With [Slots] several hold it at once.
//
// The name has up to 200 bytes of printable text; the label is printable as well. A register
// keeps each name for ever: use a few again and again, and not one for each job. A bad name or
// option is the error of every method. [Perm] and [NoSync] mean nothing here.
func On(r Register, name string, opts ...Option) *Lock {
	o, err := collect(opts)
	l := &Lock{path: name, options: o, err: errors.Join(err, fitOn(name, o)), queue: make(chan struct{}, 1)}
	s := &remote{register: r, name: name, slots: max(o.slots, 1), lease: o.lease, clock: o.clock}
	l.open = func() (store, error) { return s.view(context.Background()), nil }
	l.look = func(ctx context.Context) (viewer, error) { return &inspection{view: s.view(ctx)}, nil }
	return l
}

// fitFile says why a lock in a file cannot have the options.
func fitFile(o options) error {
	if o.slots <= 1 {
		return nil
	}
	if o.lease == 0 {
		return errors.New("fleetlock: a lock in a file with Slots has no Lease")
	}
	return fitLabel(o)
}

// fitLabel says why a ledger cannot have a label: what is not printable might need more room
// in it than there is.
func fitLabel(o options) error {
	if !printable(o.label) {
		return fmt.Errorf("fleetlock: the label %q is not printable text", o.label)
	}
	return nil
}

func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) })
}

const maxName = 200

// fitOn says why a lock in a register cannot have a name or options.
func fitOn(name string, o options) error {
	switch {
	case name == "" || len(name) > maxName || !printable(name):
		return fmt.Errorf("fleetlock: the name %.210q is not 1 to %d bytes of printable text", name, maxName)
	case o.lease == 0:
		return fmt.Errorf("fleetlock: the lock %q in a register has no Lease", name)
	}
	return fitLabel(o)
}
