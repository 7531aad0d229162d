package federation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/mosaicstack/fedkit/cursor"
)

// maxBehind is how many pages of a source are passed over for one page of the list, until
// the source comes to where the list is.
const maxBehind = 16

// A readPage reads a page of one source, behind a cursor of its own.
type readPage func(ctx context.Context, limit int, cursor string) (Page, error)

// A feed gives the rows of one source to one page of the list.
type feed struct {
	*chainSource
	index    int // among the sources of the chain
	chain    *chain
	order    *ordering
	read     readPage
	limit    int  // of the page of the list
	thrifty  bool // asks for few rows rather than at once
	err      error
	restored bool // begins again at the start of the source's list

	// The page of the source that is being used up.
	start   string // its cursor
	pending bool   // it has not been read
	rows    []listedRow
	at      int // rows before it have been given
	next    string
	end     cursor.Position // last key of the page before it

	renewed chan renewal    // nil: not asked for
	reading *sync.WaitGroup // for what asks for it
}

var (
	errNotWhole  = errors.New("the page lacks rows of a source, where the peer's own were asked for")
	errNotLocal  = errors.New("a row does not say that it is the peer's own")
	errAlias     = errors.New("a row has a second _source, in another spelling")
	errLongRow   = errors.New("a row is longer than a page may be")
	errDisorder  = errors.New("rows are not in order, or a key repeats")
	errCursorBad = errors.New("the cursor is too long, or has a NUL")
	errBehind    = errors.New("the source has not yet come to where the list is")
)

// open reads up to the first row that has not been given. It reads so many rows that one
// page of the source is enough, whatever the other sources have: those that it repeats,
// and a page of the list.
func (f *feed) open(ctx context.Context) {
	if f.thrifty && 2*f.given > f.limit {
		f.use(f.renewal(ctx, f.cursor, f.given))
	} else if 4*f.given >= f.limit {
		f.renew(ctx)
	}
	f.start, f.pending = f.cursor, true
	for range maxBehind {
		f.err = f.load(ctx, f.given+f.limit)
		if errors.Is(f.err, ErrInvalidRequest) && f.start != "" && !f.restored {
			// The source refuses its cursor, as one whose keys were replaced does.
			// From the start of its list on, the order tells what has been given.
			f.restored, f.start, f.given, f.end, f.renewed = true, "", 0, nil, nil
			continue
		}
		if f.err != nil || f.at < len(f.rows) || f.next == "" {
			return
		}
		f.advance()
	}
	f.err = &PeerError{Code: ErrCatchingUp, Err: errBehind}
}

// advance goes on to the next page of the source.
func (f *feed) advance() {
	if len(f.rows) > 0 {
		f.end = f.rows[len(f.rows)-1].key
	}
	f.start, f.pending, f.given, f.renewed = f.next, true, 0, nil
	f.rows, f.at, f.next = nil, 0, ""
}

// head returns the first row that has not been given, or nil.
func (f *feed) head() *listedRow {
	if f.at < len(f.rows) {
		return &f.rows[f.at]
	}
	return nil
}

// dry tells if the feed needs another page to say what its next row is.
func (f *feed) dry() bool { return f.at == len(f.rows) && f.next != "" }

// more reads another page. When it fails, the feed stands behind the page before.
func (f *feed) more(ctx context.Context, limit int) error {
	f.advance()
	for range maxBehind {
		if err := f.load(ctx, limit); err != nil {
			return err
		}
		if f.at < len(f.rows) || f.next == "" {
			return nil
		}
		f.advance()
	}
	return &PeerError{Code: ErrCatchingUp, Err: errBehind}
}

// load reads the page at start, and passes over what has been given.
func (f *feed) load(ctx context.Context, limit int) error {
	page, err := f.ask(ctx, limit, f.start)
	for errors.Is(err, errTooLong) && limit > 1 {
		// So many rows as were asked for may be too long without any fault of the peer.
		limit = max(1, limit/8)
		page, err = f.ask(ctx, limit, f.start)
	}
	if err != nil {
		return err
	}
	rows, err := f.check(page.Items)
	if err != nil {
		return &PeerError{Code: ErrProtocolViolation, Err: err}
	}
	if f.end != nil && len(rows) > 0 && f.order.compare(f.end, rows[0].key) >= 0 {
		return &PeerError{Code: ErrProtocolViolation, Err: errDisorder}
	}
	f.rows, f.next, f.at, f.pending = rows, page.Next, 0, false
	for f.at < len(rows) && f.chain.passed(f.order, rows[f.at].key, f.index) {
		f.at++
	}
	return nil
}

// ask reads a page. A part of the host that panics has failed.
//
// A Client has refused some of these pages before. But it lets the page of a merged list be
// empty and go on, which one of a peer's own rows must not; and nobody has looked at the
// pages of FanOutRequest.Local.
func (f *feed) ask(ctx context.Context, limit int, token string) (Page, error) {
	page, err := contained(f.name, func() (Page, error) { return f.read(ctx, limit, token) })
	switch {
	case err != nil:
		return Page{}, err
	case len(page.Items) > limit:
		err = errTooMany
	case page.Partial:
		err = errNotWhole
	case page.Next != "" && (len(page.Items) == 0 || page.Next == token):
		err = errStandstill
	case len(page.Next) > maxCursor, strings.IndexByte(page.Next, 0) >= 0, !utf8.ValidString(page.Next):
		err = errCursorBad
	}
	if err != nil {
		return Page{}, &PeerError{Code: ErrProtocolViolation, Err: err}
	}
	return page, nil
}

// check reads the keys of a page and makes sure that they are in order.
func (f *feed) check(items []json.RawMessage) ([]listedRow, error) {
	rows := make([]listedRow, len(items))
	keys := make(cursor.Position, len(items)*f.order.width())
	for i, item := range items {
		key := keys[:f.order.width():f.order.width()]
		keys = keys[f.order.width():]
		row, err := f.order.row(bytes.Trim(item, jsonSpace), key)
		if err != nil {
			return nil, fmt.Errorf("row %d %w", i, err)
		}
		if err := f.checkOrigin(row); err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
		rows[i] = row
	}
	f.order.sortInstants(rows)
	for i := 1; i < len(rows); i++ {
		if f.order.compare(rows[i-1].key, rows[i].key) >= 0 {
			return nil, fmt.Errorf("row %d: %w", i, errDisorder)
		}
	}
	return rows, nil
}

// checkOrigin holds a peer to its own rows: it is asked for them alone, and says so of
// each. The gateway's own rows have no origin yet.
func (f *feed) checkOrigin(row listedRow) error {
	if f.name == string(SourceLocal) {
		switch {
		case row.sourceEnd > 0:
			return errRowSourced
		case !utf8.Valid(row.object):
			return errRowNotUTF8
		}
		return nil
	}
	switch {
	case string(row.object[row.source:row.sourceEnd]) != `"local"`:
		return errNotLocal
	case row.alias:
		return errAlias
	case len(row.object) > maxPageBytes:
		return errLongRow
	}
	return nil
}

// A renewal is the cursor behind rows that have all been given.
type renewal struct {
	cursor string
	rows   int
}

// renew asks for a cursor nearer to the place of the list, while the page at the old one
// is read. Without that, a source that gives a few rows to each page would have to repeat
// more and more of them.
func (f *feed) renew(ctx context.Context) {
	answered := make(chan renewal, 1)
	f.renewed = answered
	token, rows := f.cursor, f.given
	f.reading.Go(func() { answered <- f.renewal(ctx, token, rows) })
}

// renewal reads again rows that have been given, for the cursor behind them. The zero
// renewal is none: the page has changed since, so that its end would be behind rows that
// have not been given, or it could not be read.
func (f *feed) renewal(ctx context.Context, token string, rows int) renewal {
	page, err := f.ask(ctx, rows, token)
	if err != nil || page.Next == "" {
		return renewal{}
	}
	checked, err := f.check(page.Items)
	if err != nil || !f.chain.passed(f.order, checked[len(checked)-1].key, f.index) {
		return renewal{}
	}
	return renewal{page.Next, len(checked)}
}

// use begins at the cursor of a renewal, if it is one.
func (f *feed) use(r renewal) {
	if r.cursor != "" {
		f.cursor, f.given = r.cursor, max(0, f.given-r.rows)
	}
}

// settle writes down where the source stands for the next page. It waits for a nearer
// cursor until the context ends.
func (f *feed) settle(ctx context.Context) {
	switch {
	case f.mode != modeActive:
		f.cursor, f.given = "", 0
	case f.pending:
		f.cursor = f.start
	case f.at < len(f.rows):
		f.cursor, f.given = f.start, f.at
	case f.next != "":
		f.cursor, f.given = f.next, 0
	default:
		f.cursor, f.given, f.mode = "", 0, modeExhausted
	}
	if f.renewed != nil && f.mode == modeActive && f.given > 0 {
		f.use(f.awaited(ctx))
	}
}

// awaited is the renewal that was asked for. One that has not come when the context ends
// is too late, and is asked for again with the next page.
func (f *feed) awaited(ctx context.Context) renewal {
	select {
	case r := <-f.renewed:
		return r
	case <-ctx.Done():
	}
	select {
	case r := <-f.renewed: // both at once
		return r
	default:
		return renewal{}
	}
}
