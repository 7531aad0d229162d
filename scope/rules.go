package scope

import (
	"context"
	"errors"
	"time"
)

// Config is what Rules need.
type Config struct {
	// Registry has the resources that the host knows. It is required.
	Registry Registry
	// Native is the host's own access control. It is required.
	Native NativeRBAC
	// Timeout is how long one call of Native may take; a nearer deadline of the
	// request counts. Defaults to 2 seconds.
	Timeout time.Duration
	// MaxTeams is how many teams Native may answer with. More are taken for a
	// malformed answer. Defaults to 100,000.
	MaxTeams int
}

const (
	defaultTimeout        = 2 * time.Second
	defaultMaxNativeTeams = 100_000
)

// Rules is the ready Evaluator: the decision table of the package comment. It
// keeps no state between requests and is safe for concurrent use. The zero
// Rules deny.
type Rules struct {
	registry Registry
	native   NativeRBAC
	timeout  time.Duration
	maxTeams int
}

// NewRules returns the rules for a host, or an error that says what is missing
// in cfg or out of range.
func NewRules(cfg Config) (*Rules, error) {
	switch {
	case len(cfg.Registry.names) == 0:
		return nil, errors.New("scope: Config.Registry has no resources")
	case cfg.Native == nil:
		return nil, errors.New("scope: Config.Native is missing")
	case cfg.Timeout < 0:
		return nil, errors.New("scope: Config.Timeout is negative")
	case cfg.MaxTeams < 0:
		return nil, errors.New("scope: Config.MaxTeams is negative")
	}
	r := &Rules{cfg.Registry, cfg.Native, cfg.Timeout, cfg.MaxTeams}
	if r.timeout == 0 {
		r.timeout = defaultTimeout
	}
	if r.maxTeams == 0 {
		r.maxTeams = defaultMaxNativeTeams
	}
	return r, nil
}

var (
	errNotRegistered = errors.New("the host knows no such resource")
	errExcluded      = errors.New("the scope excludes the resource")
	errNotGranted    = errors.New("the scope does not grant the resource")
	errLimit         = errors.New("the limit is no integer from 1 to 2^53-1 in plain digits")
	errNativeDenied  = errors.New("native access denied")
)

// Evaluate decides the request: the first row of the table that matches. Native
// access is asked last, and at most once.
func (r *Rules) Evaluate(ctx context.Context, req Request) Decision {
	d := begin(req)
	if err := req.Grant.Check(); err != nil {
		return d.deny(rowScope, err)
	}
	granted := req.Grant.Scope.contents
	if !r.registry.Contains(req.Resource) {
		return d.deny(rowRegistry, errNotRegistered)
	}
	if granted.excludes(req.Resource) {
		return d.deny(rowExcluded, errExcluded)
	}
	terms, ok := granted.rule(req.Resource)
	if !ok {
		return d.deny(rowNotGranted, errNotGranted)
	}
	if d, ok = d.clamp(granted.maxRows); !ok {
		return d.deny(rowLimit, errLimit)
	}
	if code, err := req.check(); err != nil {
		return d.refuse(code, err)
	}
	access, err := r.ask(ctx, AccessRequest{
		Grant:    req.Grant.ID,
		Peer:     req.Grant.Peer,
		Subject:  req.Grant.Subject,
		Resource: req.Resource,
	})
	if err != nil {
		return d.deny(rowUnavailable, err)
	}
	return d.intersect(terms, access)
}

// begin returns the undecided decision on a request.
func begin(req Request) Decision {
	return Decision{trace: Trace{
		grant:    req.Grant.ID,
		peer:     req.Grant.Peer,
		subject:  req.Grant.Subject,
		resource: req.Resource,
		asked:    req.Limit,
	}}
}

func (d Decision) deny(row row, err error) Decision {
	d.trace.row, d.trace.err = row, err
	return d
}

// refuse denies with the code that Request.Check gave.
func (d Decision) refuse(code Code, err error) Decision {
	d.trace.code = code
	return d.deny(rowCheck, err)
}

// clamp puts the page size into the decision, or returns false for a limit that
// is none.
func (d Decision) clamp(cap int) (Decision, bool) {
	limit, ok := d.trace.asked.clamp(cap)
	d.trace.cap, d.trace.limit = cap, limit
	return d, ok
}

// intersect decides by what the grant and a well-formed native answer allow.
func (d Decision) intersect(granted rule, access Access) Decision {
	teams := access.Teams
	access.Teams = nil
	d.trace.native, d.trace.nativeTeams = access, len(teams)
	if !access.Allowed {
		return d.deny(rowDenied, errNativeDenied)
	}
	d.teams = granted.admit(teams)
	d.trace.teams = len(d.teams)
	d.trace.personal = granted.personal && access.Personal
	d.trace.row = rowNone
	if d.trace.personal || len(d.teams) > 0 {
		d.trace.row = rowSome
	}
	return d
}
