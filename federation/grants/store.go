package grants

import (
	"context"
	"errors"
)

var (
	// ErrNotFound: there is no such grant.
	ErrNotFound = errors.New("grants: no such grant")
	// ErrExists: a grant of this ID or with this Credential is there already.
	ErrExists = errors.New("grants: the grant exists")
	// ErrConflict: the grant has been changed since it was read. Read it again and
	// see if the change is still right.
	ErrConflict = errors.New("grants: the grant was changed by somebody else")
	// ErrStatus: the grant's status does not allow the change.
	ErrStatus = errors.New("grants: the status does not allow this")
	// ErrInvalid: the terms or the pin make no grant.
	ErrInvalid = errors.New("grants: invalid")
	// ErrUnaudited: the Auditor did not keep a record. What lets somebody in has not
	// been done then, unless the grant is returned beside it; what shuts somebody out
	// has been.
	ErrUnaudited = errors.New("grants: a change was not audited")
)

// A Store keeps grants for a Registrar, which has the rules: a Store has none of its
// own. Memory is one, and package sqlstore has one for Postgres and SQLite. Calls run
// concurrently, and one call is done or not done: there is no half of it. What a call
// has stored, every call that begins later finds.
//
// A Store that may find and list as well has the methods
//
//	Find(ctx context.Context, credential string) (Grant, error)
//	List(ctx context.Context, after string, limit int) ([]Grant, error)
//
// where Find is Get by the Credential, and List returns up to limit grants whose ID is
// greater than after, byte by byte, in that order: an empty after begins, the ID of the
// last grant goes on, and fewer than limit grants are the end.
type Store interface {
	// Get returns the grant, or ErrNotFound.
	Get(ctx context.Context, id string) (Grant, error)
	// Insert stores a new grant, or nothing if its ID or its Credential is taken:
	// that is ErrExists.
	Insert(ctx context.Context, g Grant) error
	// Replace stores g if the grant of its ID has the revision before g's, and that
	// one is not revoked. Otherwise it changes nothing, and the error is ErrConflict,
	// or ErrNotFound if there is no such grant. The Credential stays what it is.
	Replace(ctx context.Context, g Grant) error
}
