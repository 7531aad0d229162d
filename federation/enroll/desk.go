package enroll

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/mtls"
)

// The times of a Config that names none.
const (
	defaultTokens       = 15 * time.Minute
	defaultCertificates = 90 * 24 * time.Hour
	defaultTimeout      = 10 * time.Second
)

// clockSkew is how long before its issue a certificate is good already, for peers whose
// clock is late.
const clockSkew = time.Minute

// Config is what a Desk is made of. The parts must be safe for concurrent use.
type Config struct {
	// Tickets keep the tokens' hashes. Required.
	Tickets Tickets
	// Grants has the grants that certificates are issued for. Required.
	Grants *grants.Registrar
	// Signer issues the certificates. Required.
	Signer Signer
	// Addresses limits requests per IP address of the client, as the field of the same
	// name in federation.Config does, before anything of a request is read. Give it a
	// Limiter of its own: who enrolls asks once or twice. Optional.
	Addresses federation.Limiter
	// Identify is that of the gateway's mtls.Config, under which the certificates
	// must be the grant's. Defaults as there.
	Identify mtls.Identifier
	// Tokens is how long a token is good. Defaults to 15 minutes, and may be up to a
	// week.
	Tokens time.Duration
	// Certificates is how long a certificate is good, at most: it ends with the
	// grant. Defaults to 90 days.
	Certificates time.Duration
	// Timeout bounds the work on one request. Defaults to 10 seconds.
	Timeout time.Duration
	// Report gets every step; AuditTo makes one. Defaults to none.
	Report Report
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// A Desk gives out tokens and certificates. It is the http.Handler of the peers' side of
// it, see ServeHTTP. Its methods run concurrently.
type Desk struct{ cfg Config }

// New returns a Desk. A Config that lacks a required part is an error.
func New(cfg Config) (*Desk, error) {
	switch {
	case cfg.Tickets == nil:
		return nil, errors.New("enroll: Config.Tickets is required")
	case cfg.Grants == nil:
		return nil, errors.New("enroll: Config.Grants is required")
	case cfg.Signer == nil:
		return nil, errors.New("enroll: Config.Signer is required")
	case cfg.Tokens < 0 || cfg.Tokens > 7*24*time.Hour:
		return nil, errors.New("enroll: Config.Tokens is negative or more than a week")
	case cfg.Certificates < 0 || cfg.Timeout < 0:
		return nil, errors.New("enroll: a time of the Config is negative")
	}
	if cfg.Identify == nil {
		cfg.Identify = mtls.Extensions{}.Identify
	}
	if cfg.Tokens == 0 {
		cfg.Tokens = defaultTokens
	}
	if cfg.Certificates == 0 {
		cfg.Certificates = defaultCertificates
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Report == nil {
		cfg.Report = func(context.Context, Event) error { return nil }
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Desk{cfg}, nil
}

// Invite makes a token for a grant: for its first certificate if it is pending, or for
// the next one if it is active. The token is returned once, and kept nowhere; give it to
// the peer on a way that nobody else can read.
func (d *Desk) Invite(ctx context.Context, grant string) (token string, expires time.Time, err error) {
	now := d.cfg.Now()
	g, err := d.cfg.Grants.Get(ctx, grant)
	if err == nil {
		err = open(g, now)
	}
	if err != nil {
		return "", time.Time{}, fmt.Errorf("enroll: no invitation for %q: %w", grant, err)
	}
	token, id, hash := newToken()
	now = now.UTC().Round(0).Truncate(time.Microsecond) // as databases keep it
	ticket := Ticket{ID: id, Hash: hash, Grant: g.ID, Created: now, Expires: now.Add(d.cfg.Tokens)}
	// Reported first: no token without a report.
	if err := d.cfg.Report(ctx, Event{Time: now, Step: Invited, Ticket: id, Grant: g.ID}); err != nil {
		return "", time.Time{}, fmt.Errorf("enroll: the report of an invitation: %w", err)
	}
	if err := d.cfg.Tickets.Insert(ctx, ticket); err != nil {
		return "", time.Time{}, fmt.Errorf("enroll: storing a ticket: %w", err)
	}
	return token, ticket.Expires, nil
}

// open returns nil if the grant can have a certificate: it is pending or active, and its
// time is not over.
func open(g grants.Grant, now time.Time) error {
	switch {
	case g.Status != grants.Pending && g.Status != grants.Active:
		return grants.ErrStatus
	case !now.Before(g.Expires):
		return fmt.Errorf("%w: it has expired", grants.ErrStatus)
	}
	return nil
}
