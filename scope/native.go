package scope

import (
	"context"
	"errors"
)

// ErrUnavailable is what a NativeRBAC or a lister wraps when its backend is out
// of reach, as opposed to a fault of its own: the request may be tried again.
var ErrUnavailable = errors.New("scope: backend unavailable")

// NativeRBAC is the host's own access control: what the subject could read on
// the host itself, without any grant.
//
// ReadAccess is called on the goroutine of the request with a context that has
// a deadline, and has to return when that context ends: nothing can interrupt
// it from outside. It may be called concurrently. Its answer does not count
// when an error is beside it, when it panics, when it comes after the deadline,
// and when it is malformed: see [Config.MaxTeams] and [Access.Teams]. If it
// calls runtime.Goexit, it ends the goroutine of its caller, and then nobody
// gets any answer.
//
// It should deny a resource that it has never heard of.
type NativeRBAC interface {
	ReadAccess(ctx context.Context, req AccessRequest) (Access, error)
}

// AccessRequest asks for the native access of Subject to Resource. Grant and
// Peer say on whose behalf, for hosts that keep an audit.
type AccessRequest struct {
	Grant, Peer, Subject, Resource string
}

// Access is the answer of native access control. The zero Access denies.
type Access struct {
	// Allowed must be true for any row to show.
	Allowed bool
	// Personal reports whether rows that the subject owns may show.
	Personal bool
	// Teams are the ids of the teams whose rows may show, in any order;
	// duplicates do not matter. An id that is empty, is not UTF-8 or has a NUL
	// makes the whole answer malformed. The slice stays native's: it is copied.
	Teams []string
	// Reason is for the host's logs only.
	Reason string
}
