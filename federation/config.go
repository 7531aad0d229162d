package federation

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// What a Config has that names no time.
const (
	defaultTimeout      = 10 * time.Second
	defaultAuditTimeout = 2 * time.Second
)

// Config is what a handler is made of. NewHandler copies it; the parts themselves
// must be safe for concurrent use.
type Config struct {
	// Authenticator finds the grant behind a request. Required.
	Authenticator Authenticator

	// Evaluator decides what of a resource the grant shows. Required; scope.Rules
	// is the ready one.
	Evaluator scope.Evaluator

	// Lister reads the pages. Required.
	Lister Lister

	// Getter reads single rows. Without it the verb get is not served. It is a part of
	// its own, and not looked for in the Lister, so that a Lister which wraps another
	// one to hide rows cannot let that one's rows out by accident. Optional.
	Getter Getter

	// FanOut lists the rows of other gateways together with those of the Lister, for
	// requests that name a source. Requests that name none get the rows of the Lister
	// alone, as without it. Its SourceTimeout must be less than Timeout. Optional.
	FanOut *FanOut

	// Cursors seals the position between two pages. Required. Its keys must
	// outlive the process and be shared by all instances that serve one peer, or
	// a cursor of one is refused by the next. Plain cursors let a peer write
	// positions of its own: they are for tests.
	Cursors *cursor.Codec

	// Addresses limits requests per IP address of the client, before the credential is
	// looked at. The module federation/ratelimit has a Limiter. The address is that of
	// http.Request.RemoteAddr: behind a proxy, a middleware of the host has to put the
	// client's there. Optional.
	Addresses Limiter

	// Grants limits requests per grant id. Optional.
	Grants Limiter

	// Concurrent is how many requests of one grant may be under way at once, by this
	// handler; the next one is 429. A request is under way until its answer has been
	// taken off the handler's hands, so this also bounds the pages in memory for a peer
	// that does not read them. 0 is no limit.
	Concurrent int

	// Auditor keeps a record of each decision before the answer leaves: without the
	// record there is no answer but 503. See AuditQueue for the other way. Optional.
	Auditor Auditor

	// AuditTimeout bounds the call of Auditor. Defaults to 2 seconds.
	AuditTimeout time.Duration

	// Timeout bounds the work on a request once its body has been read, through the
	// context that each part gets.
	// An answer that comes after it is thrown away. Defaults to 10 seconds.
	Timeout time.Duration

	// Contract serves the documents of the package federation/contract beside the verbs,
	// to peers whose grant is good now: strangers learn nothing here about what a gateway
	// runs. Rates, the audit and the log count as for capabilities. Defaults to not.
	Contract bool

	// Observer watches requests and their parts. Optional.
	Observer Observer

	// Logger gets one line per request, see the package comment. Defaults to
	// none.
	Logger *slog.Logger
}

// NewHandler returns the handler of everything under [Prefix]. Mount it there as
// it is, without http.StripPrefix; it does its own routing and never redirects.
// A Config that lacks a required part is an error.
func NewHandler(cfg Config) (http.Handler, error) {
	cfg.Timeout = orDefault(cfg.Timeout, defaultTimeout)
	cfg.AuditTimeout = orDefault(cfg.AuditTimeout, defaultAuditTimeout)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	return &handler{Config: cfg, running: inflight{most: cfg.Concurrent}}, nil
}

// check says which field is wrong, and how.
func (c Config) check() error {
	switch {
	case c.Authenticator == nil:
		return errors.New("federation: Config.Authenticator is required")
	case c.Evaluator == nil:
		return errors.New("federation: Config.Evaluator is required")
	case c.Lister == nil:
		return errors.New("federation: Config.Lister is required")
	case c.Cursors == nil:
		return errors.New("federation: Config.Cursors is required")
	case c.Timeout < 0:
		return errors.New("federation: Config.Timeout is negative")
	case c.AuditTimeout < 0:
		return errors.New("federation: Config.AuditTimeout is negative")
	case c.Concurrent < 0:
		return errors.New("federation: Config.Concurrent is negative")
	case c.FanOut != nil && c.FanOut.cfg.SourceTimeout >= c.Timeout:
		return fmt.Errorf("federation: Config.FanOut has the SourceTimeout %v, which is not less than the Timeout %v", c.FanOut.cfg.SourceTimeout, c.Timeout)
	}
	return nil
}
