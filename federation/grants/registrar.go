package grants

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/scope"
)

// Config is what a Registrar is made of. The parts must be safe for concurrent use.
type Config struct {
	// Store keeps the grants. Required.
	Store Store
	// Registry has the resources that a scope may name. Required: the zero Registry
	// knows none, so that no grant could be made.
	Registry scope.Registry
	// Auditor keeps a record of every call that changes a grant, or would have: see the
	// package comment. It may be the one of federation.Config. Optional.
	Auditor federation.Auditor
	// AuditTimeout bounds one call of Auditor. Defaults to 2 seconds.
	AuditTimeout time.Duration
	// Actor says who asks, from the context of the call, for the record. Defaults to
	// nobody.
	Actor func(ctx context.Context) string
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// A Registrar makes grants and takes them through their life. Its methods run
// concurrently, also with those of other Registrars over the same Store, and return the
// grant as it was stored. With an error the grant is zero, unless the error is
// ErrUnaudited and the change has been stored all the same.
type Registrar struct{ cfg Config }

// NewRegistrar returns a Registrar. A Config that lacks a required part is an error.
func NewRegistrar(cfg Config) (*Registrar, error) {
	if cfg.Store == nil {
		return nil, errors.New("grants: Config.Store is required")
	}
	if len(cfg.Registry.Names()) == 0 {
		return nil, errors.New("grants: Config.Registry is required")
	}
	if cfg.AuditTimeout < 0 {
		return nil, errors.New("grants: Config.AuditTimeout is negative")
	}
	if cfg.AuditTimeout == 0 {
		cfg.AuditTimeout = defaultAuditTimeout
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Registrar{cfg}, nil
}

// Get returns the grant as it is stored now, or ErrNotFound. It changes nothing, and
// leaves no record in the audit.
func (r *Registrar) Get(ctx context.Context, id string) (Grant, error) {
	return r.cfg.Store.Get(ctx, id)
}

// Create makes a pending grant. Terms that make none are ErrInvalid, and the cause of a
// scope that does not parse is in the error, too. A name that is taken is ErrExists.
func (r *Registrar) Create(ctx context.Context, terms Terms) (Grant, error) {
	e := r.enter(ctx, verbCreate, terms.ID, true)
	g, err := terms.grant(r.cfg.Registry, r.cfg.Now())
	if err == nil {
		err = e.intend(g)
	}
	if err == nil {
		if err = r.cfg.Store.Insert(ctx, g); err != nil {
			err = fmt.Errorf("grants: creating %q: %w", g.ID, err)
		}
	}
	return e.leave(g, err)
}

// Activate accepts a pending grant, for certificates with the pin.
func (r *Registrar) Activate(ctx context.Context, id string, revision int64, pin Pin) (Grant, error) {
	e := r.enter(ctx, verbActivate, id, true)
	return e.leave(e.change(id, revision, func(g *Grant) error {
		if g.Status != Pending {
			return ErrStatus
		}
		g.Status = Active
		return g.pin(pin)
	}))
}

// Rotate lets an active grant accept certificates with another pin, beside those of the
// newest pin that it has. From now on the peer can change to its new key at any time.
// Unpin then ends the old one.
func (r *Registrar) Rotate(ctx context.Context, id string, revision int64, pin Pin) (Grant, error) {
	e := r.enter(ctx, verbRotate, id, true)
	return e.leave(e.change(id, revision, func(g *Grant) error {
		if g.Status != Active {
			return ErrStatus
		}
		return g.pin(pin)
	}))
}

// Unpin ends one of the two pins of an active grant.
func (r *Registrar) Unpin(ctx context.Context, id string, revision int64, pin Pin) (Grant, error) {
	e := r.enter(ctx, verbUnpin, id, false)
	return e.leave(e.change(id, revision, func(g *Grant) error {
		if g.Status != Active {
			return ErrStatus
		}
		return g.unpin(pin)
	}))
}

// Revoke takes the grant back, whatever its status and its revision are. It is final,
// and to revoke a revoked grant changes nothing and is no error.
func (r *Registrar) Revoke(ctx context.Context, id string) (Grant, error) {
	e := r.enter(ctx, verbRevoke, id, false)
	return e.leave(e.end(id, Revoked))
}

// Expire ends the grant before its time, whatever its revision is. To end an expired
// grant changes nothing and is no error; a revoked one is ErrStatus.
func (r *Registrar) Expire(ctx context.Context, id string) (Grant, error) {
	e := r.enter(ctx, verbExpire, id, false)
	return e.leave(e.end(id, Expired))
}

// maxTries is how often a change that is right over any revision is tried: more often
// than a grant can have other changes in that time, and not for ever.
const maxTries = 100

// end changes the status for good. Another change that comes in between is no reason
// not to: it is made over that one.
func (e *entry) end(id string, status Status) (g Grant, err error) {
	for range maxTries {
		g, err = e.cfg.Store.Get(e.ctx, id)
		if err != nil {
			return g, fmt.Errorf("grants: changing %q: %w", id, err)
		}
		if g.Status == status {
			e.about(g)
			e.record.Code = codeUnchanged
			return g, nil
		}
		g, err = e.change(id, g.Revision, func(g *Grant) error {
			if g.Status == Revoked {
				return ErrStatus
			}
			g.Status = status
			return nil
		})
		if !errors.Is(err, ErrConflict) || e.ctx.Err() != nil {
			return g, err
		}
	}
	return g, err
}

// change reads the grant and stores it over the given revision, changed.
func (e *entry) change(id string, revision int64, edit func(*Grant) error) (Grant, error) {
	g, err := e.cfg.Store.Get(e.ctx, id)
	if err == nil {
		e.about(g)
		if err = ErrConflict; g.Revision == revision {
			err = edit(&g)
		}
	}
	if err != nil {
		return Grant{}, fmt.Errorf("grants: changing %q: %w", id, err)
	}
	g.Revision++
	g.Updated = exact(e.cfg.Now())
	if err := e.intend(g); err != nil {
		return Grant{}, err
	}
	if err := e.cfg.Store.Replace(e.ctx, g); err != nil {
		return Grant{}, fmt.Errorf("grants: changing %q: %w", id, err)
	}
	return g, nil
}
