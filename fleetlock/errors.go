package fleetlock

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrLost matches every *LostError: the lock is no longer this holder's.
	ErrLost = errors.New("fleetlock: the lock is no longer held")

	// ErrReleased says that this holder has released or detached the lock itself.
	ErrReleased = errors.New("fleetlock: the lock was released")

	// ErrNotHeld says that the lock is not held under the token that Break was given,
	// or not any more.
	ErrNotHeld = errors.New("fleetlock: the lock is not held under this token")

	// ErrTicket says that a text is no ticket.
	ErrTicket = errors.New("fleetlock: not a ticket")

	// ErrCorrupt says that both copies of the record are damaged. Nobody is granted
	// the lock until Repair.
	ErrCorrupt = errors.New("fleetlock: both copies of the record are damaged")

	// ErrUnsafe says that what stands at the path cannot be trusted to be the lock: it
	// is no regular file, or that of a lock with [Slots] where there are to be none or the
	// other way round, or someone other than the lock's users may write or lock it.
	ErrUnsafe = errors.New("fleetlock: not safe to use as a lock")

	// ErrFileSystem says that the path is on a file system whose locks are not known to
	// hold, as those of networks are not.
	ErrFileSystem = errors.New("fleetlock: file system without dependable locks")
)

// What a register answers beside errors of its own.
var (
	errChanged   = ErrChanged
	errContended = errors.New("fleetlock: the record is being changed")
)

// A BusyError says that another holder has the lock or, where a register keeps a line of
// those who wait, that it is kept for who is next.
type BusyError struct {
	// Path names the lock.
	Path string
	// Holder is who has it or, under no token yet, is next, as far as the record tells.
	Holder Holder
}

func (e *BusyError) Error() string {
	verb := "held by"
	if e.Holder.isNext() {
		verb = "kept for"
	}
	return fmt.Sprintf("fleetlock: %s is %s %s", e.Path, verb, e.Holder)
}

func isBusy(err error) bool { return err != nil && errors.As(err, new(*BusyError)) }

// A LostError says why a lock is no longer its holder's. It matches [ErrLost].
type LostError struct {
	// Path names the lock.
	Path string
	// Token is the fencing token under which the lock was held.
	Token uint64
	// Reason says what happened, for people to read.
	Reason string
	// Err is the error behind it, if one is.
	Err error
}

func (e *LostError) Error() string {
	text := fmt.Sprintf("fleetlock: %s is no longer held under token %d: %s", e.Path, e.Token, e.Reason)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Is reports whether target is [ErrLost].
func (e *LostError) Is(target error) bool { return target == ErrLost }

// Unwrap returns the error behind the loss, or nil.
func (e *LostError) Unwrap() error { return e.Err }

// A Holder is who holds a lock, or held it last. It is what that process wrote about
// itself.
type Holder struct {
	// Token is the fencing token of the grant; zero if there was none, as of who waits.
	Token uint64
	// Label is the text that the holder chose by [Label].
	Label string
	// Host and PID name the process, in its own namespaces.
	Host string
	PID  int
	// Since is when the lock was granted, by the holder's wall clock.
	Since time.Time
	// Lease is how long the holder may be silent; zero if for ever.
	Lease time.Duration
	// Detached says that no process has the lock, but a ticket.
	Detached bool
	// Until is when the lock may be taken from the holder unless it is heard of
	// before, by the wall clock; zero if never.
	Until time.Time
}

// isNext reports whether it is known who this is, and under no token: next in the line.
func (h Holder) isNext() bool { return h.Token == 0 && h.Host != "" }

func (h Holder) String() string {
	text := fmt.Sprintf("process %d on %s", h.PID, h.Host)
	switch {
	case h.isNext():
		return text + ", who is next in line"
	case h.Token == 0:
		return "an unknown holder"
	}
	if h.Label != "" {
		text = fmt.Sprintf("%q (%s)", h.Label, text)
	}
	if h.Detached {
		text = "a ticket of " + text
	}
	text += fmt.Sprintf(" since %s under token %d", h.Since.Format(time.RFC3339), h.Token)
	if !h.Until.IsZero() {
		text += " until " + h.Until.Format(time.RFC3339)
	}
	return text
}
