package grants

import (
	"fmt"
	"slices"
	"time"

	"github.com/mosaicstack/fedkit/federation"
)

// A Grant is what is stored of one. Two of them are the same if they are ==, as long as
// their times come from this package.
type Grant struct {
	// ID names the grant.
	ID string
	// Credential is what a certificate has to say to be one of this grant's. See
	// Terms.
	Credential string
	// Peer names the gateway that holds the grant.
	Peer string
	// Subject is the host's user on whose behalf the peer reads.
	Subject string
	// Scope is the canonical JSON of what the peer may read. It is a text and no
	// scope.Scope, so that a grant whose scope no longer parses (because the host
	// has given up a resource, say) can be read, listed and revoked like any other.
	Scope string
	// Status is where the grant stands.
	Status Status
	// Pins say which certificates the grant is bound to, the newest pin first. There
	// are two while one key takes over from the other.
	Pins [2]Pin
	// NotBefore is when the grant begins to count, and Expires is the first moment
	// at which it no longer does.
	NotBefore, Expires time.Time
	// Revision is 1 for a new grant, and one more after each change.
	Revision int64
	// Created and Updated are the times of the first and of the latest revision.
	Created, Updated time.Time
}

// Usable returns nil if the grant may be used at the given time, and else the
// federation.ErrGrant error that says why not.
func (g Grant) Usable(now time.Time) error {
	switch g.Status {
	case Pending, Active:
	case Revoked:
		return federation.ErrGrantRevoked
	case Expired:
		return federation.ErrGrantExpired
	default:
		return fmt.Errorf("%w: its status is %.20q", federation.ErrGrantUnknown, string(g.Status))
	}
	switch {
	case !now.Before(g.Expires):
		return federation.ErrGrantExpired
	case g.Status == Pending, now.Before(g.NotBefore):
		return federation.ErrGrantPending
	}
	return nil
}

// Fits tells if the grant is bound to a certificate with this pin, as PinOf returns it.
func (g Grant) Fits(presented Pin) bool {
	return g.Pins[0].fits(presented) || g.Pins[1].fits(presented)
}

// pin puts a pin before the others. The older of two goes.
func (g *Grant) pin(p Pin) error {
	switch {
	case p.IsZero():
		return fmt.Errorf("%w: the pin is zero", ErrInvalid)
	case slices.Contains(g.Pins[:], p):
		return fmt.Errorf("%w: the grant has the pin %s already", ErrInvalid, p)
	}
	g.Pins = [2]Pin{p, g.Pins[0]}
	return nil
}

// unpin removes a pin, but never the last one.
func (g *Grant) unpin(p Pin) error {
	i := slices.Index(g.Pins[:], p)
	switch {
	case p.IsZero() || i < 0:
		return fmt.Errorf("%w: the grant does not have the pin %q", ErrInvalid, p)
	case g.Pins[1].IsZero():
		return fmt.Errorf("%w: it is the last pin; revoke the grant instead", ErrInvalid)
	}
	g.Pins = [2]Pin{g.Pins[1-i], {}}
	return nil
}
