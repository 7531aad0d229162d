package federation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// What a FanOutConfig has that names no number.
const (
	defaultSourceTimeout = 3 * time.Second
	defaultFanOutCursor  = 24 << 10
	defaultConcurrent    = 256
)

// maxFanOutCursor has room for 64 peers with names and cursors of any length that the
// contract allows. More would be memory for nothing: each request may bring as much.
const maxFanOutCursor = 384 << 10

// FanOutConfig is what a fan-out is made of. Its parts must be safe for concurrent use.
type FanOutConfig struct {
	// Peers finds the peers that may be asked on behalf of a grant, in any order; at
	// most 64. Required.
	//
	// It decides who may read through this gateway. A peer's own grant must get none:
	// else one peer reads what others gave to this gateway. An error is 503.
	Peers func(ctx context.Context, grant scope.Grant) ([]Peer, error)

	// Keys seals the composite cursors. Required. As for Config.Cursors, they must
	// outlive the process and be shared by all instances.
	Keys *cursor.Keyring

	// Orders says how the rows of each resource are sorted. All sources must sort by
	// it: one that does not is cut off. Resources that are not in it are listed
	// locally only. Defaults to StandardOrders().
	Orders map[string]Order

	// SourceTimeout bounds the time of one source for one page, all its requests
	// included. It must be less than the Timeout of a handler, and also ends after
	// nine tenths of what the context leaves, so that there is time to answer with
	// the other sources. Defaults to 3 seconds.
	SourceTimeout time.Duration

	// Concurrent is how many requests to peers may be under way at once, for all pages
	// together. What waits for its turn uses up its SourceTimeout. An answer is kept
	// until its page is done: a page holds at most one of ClientConfig.MaxResponse bytes
	// of each peer, and one more while it is asked for a nearer cursor. How many pages
	// there are at once is for Config.Concurrent and the limiters. Defaults to 256.
	Concurrent int

	// MaxCursor is the length of the longest composite cursor in characters, 4096 to
	// 393216. It is shared out evenly: with 64 peers of names of 16 bytes, the default
	// of 24576 leaves room for cursors of at least 240 characters of each, and with 4
	// peers for the 4096 that the contract allows; the longest leaves room for those of
	// 64. A peer whose cursor does not fit fails with ErrCursorTooLong.
	MaxCursor int

	// TTL is how long a composite cursor is accepted, in whole microseconds. Defaults to
	// no end: a cursor is a place in a list and opens nothing, since what shows behind it
	// is decided for each page, and so is whom the grant may ask. A cursor of a peer
	// within it may expire before: then that peer's list is read from its start again,
	// behind what has been given.
	TTL time.Duration

	// Abort refuses a page when one of its sources fails. The default is a page of the
	// other sources, which says that it is partial.
	Abort bool
}

// A FanOut lists the rows of several gateways as one list. It is safe for concurrent use.
// A handler serves it if Config.FanOut is set.
type FanOut struct {
	cfg      FanOutConfig
	orders   map[string]*ordering
	codec    *cursor.Codec
	breakers breakers
	turns    chan struct{} // a request to a peer puts one in
}

// NewFanOut returns a fan-out, or an error that says what is wrong with cfg.
func NewFanOut(cfg FanOutConfig) (*FanOut, error) {
	cfg.SourceTimeout = orDefault(cfg.SourceTimeout, defaultSourceTimeout)
	cfg.Concurrent = orDefault(cfg.Concurrent, defaultConcurrent)
	cfg.MaxCursor = orDefault(cfg.MaxCursor, defaultFanOutCursor)
	if cfg.Orders == nil {
		cfg.Orders = StandardOrders()
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	codec, err := cursor.New(cursor.Config{Keys: cfg.Keys, MaxLen: cfg.MaxCursor, TTL: cfg.TTL})
	if err != nil {
		return nil, fmt.Errorf("federation: FanOutConfig: %w", err)
	}
	f := &FanOut{
		cfg:      cfg,
		orders:   make(map[string]*ordering, len(cfg.Orders)),
		codec:    codec,
		breakers: breakers{now: time.Now},
		turns:    make(chan struct{}, cfg.Concurrent),
	}
	for resource, order := range cfg.Orders {
		if f.orders[resource], err = newOrdering(resource, order); err != nil {
			return nil, fmt.Errorf("federation: FanOutConfig.Orders[%q]: %w", resource, err)
		}
	}
	return f, nil
}

// check says which field is wrong, and how.
func (c FanOutConfig) check() error {
	switch {
	case c.Peers == nil:
		return errors.New("federation: FanOutConfig.Peers is required")
	case c.Keys == nil:
		return errors.New("federation: FanOutConfig.Keys is required")
	case c.SourceTimeout < 0:
		return errors.New("federation: FanOutConfig.SourceTimeout is negative")
	case c.Concurrent < 0:
		return errors.New("federation: FanOutConfig.Concurrent is negative")
	case c.MaxCursor < maxCursor, c.MaxCursor > maxFanOutCursor:
		return fmt.Errorf("federation: FanOutConfig.MaxCursor is %d, and not %d to %d", c.MaxCursor, maxCursor, maxFanOutCursor)
	}
	return nil
}

// A FanOutRequest asks for one page of the merged list.
type FanOutRequest struct {
	// Grant is on whose behalf. A cursor works only for the ID, Subject and Scope of
	// the grant, and for the Resource and Source, that it was made for.
	Grant    scope.Grant
	Resource string
	Source   Source // as ParseSource returns it
	Limit    int    // of rows, 1 to 10000
	Cursor   string // the Next of the page before, empty for the first one

	// Local reads a page of the gateway's own rows as the grant shows them, behind a
	// cursor of its own. Its rows have no member _source, and are kept until List has
	// returned. An error that matches ErrInvalidRequest refuses the cursor. Calls may
	// run concurrently. Nil is a gateway that has no rows for this grant.
	Local func(ctx context.Context, limit int, cursor string) (Page, error)
}

// ErrNoOrder says that the rows of a resource cannot be merged: the FanOutConfig has no
// Order for it.
var ErrNoOrder = errors.New("federation: the resource has no order to merge by")

// List reads a page, from all sources at once. Its rows are in the order of the resource,
// and where two sources have rows of one place, the source local is first and the peers
// follow by name. Each row has the source that it came from as its member _source,
// whatever the peer says: local, or peer:NAME.
//
// The sources of a list are those of its first page. Rows of a source that answers every
// time are all there, once, whatever becomes of the others. A source that fails is named
// in Page.Sources and asked again for the next page, where it goes on behind what was
// given meanwhile; Page.Partial is set on this page and all that follow. One that breaks
// the contract is not asked again. A page may be shorter than its limit, and ends where
// its rows would be more than 2 MiB together.
//
// An error matches ErrInvalidRequest for a limit that is none, ErrInvalidSource for a source
// that the grant does not have, ErrNoOrder, cursor.ErrInvalid for a bad cursor, and
// ErrUnavailable, being a *[SourcesError], when all sources failed.
func (f *FanOut) List(ctx context.Context, r FanOutRequest) (Page, error) {
	if r.Limit < 1 || r.Limit > maxFanOutLimit {
		return Page{}, fmt.Errorf("%w: the limit %d is not 1 to %d", ErrInvalidRequest, r.Limit, maxFanOutLimit)
	}
	begun, err := f.begin(r.query(), r.Cursor)
	if err != nil {
		return Page{}, err
	}
	peers, err := f.peers(ctx, r.Grant)
	if err != nil {
		return Page{}, err
	}
	return f.page(ctx, r, begun, peers)
}

// maxFanOutLimit is the most rows of a page: as many as a scope can allow.
const maxFanOutLimit = 10_000

// A beginning is where a page begins.
type beginning struct {
	order   *ordering
	binding cursor.Binding
	chain   *chain // nil: at the start of the list
}

func (r FanOutRequest) query() cursor.Query {
	return cursor.Query{
		Resource: r.Resource,
		Grant:    r.Grant.ID,
		Subject:  r.Grant.Subject,
		Scope:    r.Grant.Scope.Hash(),
		Filters:  map[string][]string{"source": {string(r.Source)}},
	}
}

// begin reads the composite cursor.
func (f *FanOut) begin(q cursor.Query, token string) (beginning, error) {
	order := f.orders[q.Resource]
	if order == nil {
		return beginning{}, ErrNoOrder
	}
	b := beginning{order: order, binding: order.layout.Bind(q)}
	var err error
	if token != "" {
		b.chain, err = decodeChain(f.codec, b.binding, token)
	}
	return b, err
}

// peers asks the host for the peers of a grant.
func (f *FanOut) peers(ctx context.Context, grant scope.Grant) ([]Peer, error) {
	peers, err := contained("peers", func() ([]Peer, error) { return f.cfg.Peers(ctx, grant) })
	if err == nil {
		err = checkPeers(peers)
	}
	return peers, err
}

// reader returns what reads from a peer for a grant. That it has no answer when the time
// is over says nothing of the peer if it had less time than a source has.
func (f *FanOut) reader(p Peer, grant, resource string, hurried bool) readPage {
	return func(ctx context.Context, limit int, token string) (Page, error) {
		began, allowed := f.breakers.allow(p.Name, grant)
		if !allowed {
			return Page{}, &PeerError{Code: ErrCircuitOpen}
		}
		select {
		case f.turns <- struct{}{}:
		case <-ctx.Done():
			f.breakers.report(p.Name, grant, began, errGivenUp) // the peer has no part in it
			return Page{}, broken(ctx, errNoTurn)
		}
		defer func() { <-f.turns }()
		page, err := p.Client.list(ctx, resource, ListRequest{Limit: limit, Cursor: token}, "1")
		if hurried && ctx.Err() != nil {
			f.breakers.report(p.Name, grant, began, errGivenUp)
		} else {
			f.breakers.report(p.Name, grant, began, err)
		}
		return page, err
	}
}

var (
	errNoTurn  = errors.New("too many requests to peers are under way")
	errGivenUp = &PeerError{Code: ErrCanceled}
)
