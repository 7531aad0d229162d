package federation

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

// A merger puts one page together.
type merger struct {
	*FanOut
	request FanOutRequest
	beginning
	hurried  bool    // has less time than sources have
	feeds    []*feed // of the sources that are asked
	items    []json.RawMessage
	bytes    int // of items
	place    cursor.Position
	last     int
	partial  bool
	statuses map[string]SourceStatus // of the sources that failed or are not asked
	reasons  []error
}

// page reads a page from its beginning on.
func (f *FanOut) page(ctx context.Context, r FanOutRequest, b beginning, peers []Peer) (Page, error) {
	if b.chain == nil {
		sources, err := sourcesOf(r.Source, peers)
		if err != nil {
			return Page{}, err
		}
		b.chain = &chain{sources: sources}
	}
	began, timeout := time.Now(), f.timeout(ctx)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	m := &merger{
		FanOut: f, request: r, beginning: b, hurried: timeout < f.cfg.SourceTimeout,
		place: b.chain.place, last: b.chain.last, partial: b.chain.partial,
		statuses: make(map[string]SourceStatus),
	}
	var reading sync.WaitGroup
	defer reading.Wait() // for what was given up, too: nothing reads on behind the answer
	defer cancel()
	m.ask(ctx, &reading, peers)
	m.merge(ctx)
	patient, stop := context.WithTimeout(ctx, time.Since(began)/patience)
	defer stop()
	return m.finish(patient)
}

// patience is the part of the time of a page that it waits for cursors which are nearer.
// Without one, the next page may have to ask a source twice, and a request that is given
// up costs a connection.
const patience = 20

// timeout is how long the sources have.
func (f *FanOut) timeout(ctx context.Context) time.Duration {
	deadline, limited := ctx.Deadline()
	if !limited {
		return f.cfg.SourceTimeout
	}
	return min(f.cfg.SourceTimeout, time.Until(deadline)*9/10)
}

// sourcesOf returns the sources of a list by name, which puts local first.
func sourcesOf(asked Source, peers []Peer) ([]chainSource, error) {
	var sources []chainSource
	if asked == SourceLocal || asked == SourceAll {
		sources = append(sources, chainSource{name: string(SourceLocal), mode: modeActive})
	}
	for _, p := range peers {
		if name := peerPrefix + p.Name; asked == SourceAll || string(asked) == name {
			sources = append(sources, chainSource{name: name, mode: modeActive})
		}
	}
	if len(sources) == 0 {
		return nil, ErrInvalidSource
	}
	slices.SortFunc(sources, func(a, b chainSource) int { return cmp.Compare(a.name, b.name) })
	return sources, nil
}

// ask opens the feeds of all sources that may have rows, at once.
func (m *merger) ask(ctx context.Context, reading *sync.WaitGroup, peers []Peer) {
	readers := m.readers(peers)
	thrifty := m.chain.isCostly(m.request.Limit)
	for i, s := range m.chain.sources {
		switch read, known := readers[s.name]; {
		case s.mode != modeActive:
			state, code := s.mode.status()
			m.note(s.name, state, code)
		case !known:
			m.note(s.name, SourceSkipped, ErrUnknownSource)
		case read == nil: // the grant shows nothing here
			s.mode = modeExhausted
			m.feeds = append(m.feeds, &feed{chainSource: &s, index: i})
		default:
			m.feeds = append(m.feeds, &feed{
				chainSource: &s, index: i, chain: m.chain, order: m.order, read: read,
				limit: m.request.Limit, thrifty: thrifty, reading: reading,
			})
		}
	}
	var opening sync.WaitGroup
	for _, f := range m.feeds {
		if f.mode == modeActive {
			opening.Go(func() { f.open(ctx) })
		}
	}
	opening.Wait()
	for _, f := range m.feeds {
		if f.err != nil {
			m.fail(f, f.err)
		}
	}
}

// readers returns what reads from each source that the grant has now.
func (m *merger) readers(peers []Peer) map[string]readPage {
	readers := make(map[string]readPage, len(peers)+1)
	readers[string(SourceLocal)] = m.request.Local
	for _, p := range peers {
		readers[peerPrefix+p.Name] = m.reader(p, m.request.Grant.ID, m.request.Resource, m.hurried)
	}
	return readers
}

// isCostly tells if the sources would have to repeat more than one row for each that is
// asked for, if each asked for a nearer cursor and for rows at the same time.
func (c *chain) isCostly(limit int) bool {
	repeated, active := 0, 0
	for _, s := range c.sources {
		if s.mode == modeActive {
			active++
			repeated += 2 * s.given
		}
	}
	return repeated > active*limit
}

// note says what becomes of a source without rows.
func (m *merger) note(name string, state SourceState, code ErrorCode) {
	m.statuses[name] = SourceStatus{name, state, code}
	m.partial = m.partial || state != SourceExhausted
}

// fail takes a source out of the page. One that broke the contract does not come back.
func (m *merger) fail(f *feed, err error) {
	f.err = err
	m.reasons = append(m.reasons, &sourceError{f.name, err})
	code, state := codeOf(err), SourceFailed
	switch code {
	case ErrUnauthorized, ErrForbidden, ErrScopeViolation:
		state = SourceDenied
	case ErrCircuitOpen:
		state = SourceSkipped
	case ErrProtocolViolation:
		f.mode = modeViolated
	}
	m.note(f.name, state, code)
}

// maxPageBytes is how long the rows of a page may be together: half of what a client
// accepts unless it is told otherwise. So a peer of long rows makes pages short, and does
// not make those unreadable that have rows of others.
const maxPageBytes = defaultMaxResponse / 2

// merge takes rows from the feeds until the page is full or no feed has one.
func (m *merger) merge(ctx context.Context) {
	m.items = make([]json.RawMessage, 0, min(m.request.Limit, pageRoom))
	for len(m.items) < m.request.Limit {
		if !m.refill(ctx) {
			return
		}
		first := m.first()
		if first == nil {
			return
		}
		row := first.head()
		item := relabel(row, first.name)
		if m.bytes += len(item); m.bytes > maxPageBytes && len(m.items) > 0 {
			return
		}
		m.items = append(m.items, item)
		m.place, m.last = row.key, first.index
		first.at++
	}
}

// pageRoom is for how many rows at most a page makes room in advance.
const pageRoom = 100

// refill makes every feed know its next row. It returns false to end the page here: a
// source that gave rows and then fails has lost nothing as long as no row of the others
// is given that may stand behind its next one.
func (m *merger) refill(ctx context.Context) bool {
	for _, f := range m.feeds {
		if f.err != nil || !f.dry() {
			continue
		}
		err := f.more(ctx, m.request.Limit-len(m.items))
		switch {
		case err == nil:
		case len(m.items) > 0 && !errors.Is(err, ErrProtocolViolation):
			return false
		default:
			m.fail(f, err)
		}
	}
	return true
}

// first returns the feed whose next row comes first, or nil. Between equal places the
// feeds go by name, which is how they stand.
func (m *merger) first() *feed {
	var first *feed
	for _, f := range m.feeds {
		if f.err != nil || f.head() == nil {
			continue
		}
		if first == nil || m.order.compare(f.head().key, first.head().key) < 0 {
			first = f
		}
	}
	return first
}

// finish makes the page of what was read, and of the cursors that come in time.
func (m *merger) finish(ctx context.Context) (Page, error) {
	next := &chain{place: m.place, last: m.last, partial: m.partial, sources: slices.Clone(m.chain.sources)}
	answered := 0
	for _, f := range m.feeds {
		f.settle(ctx)
		next.sources[f.index] = *f.chainSource
		if f.err == nil && f.read != nil {
			answered++
		}
	}
	if failed := m.failures(); failed > 0 && (answered == 0 || m.cfg.Abort) {
		return Page{}, m.failed(next)
	}
	page := Page{Items: m.items}
	if m.goesOn(next) {
		token, err := next.encode(m.codec, m.binding)
		if err != nil {
			return Page{Sources: m.describe(next)}, err // they have been asked
		}
		if next.partial && m.cfg.Abort { // a cursor had no room
			return Page{}, m.failed(next)
		}
		if m.goesOn(next) { // with what it had room for
			page.Next = token
		}
	}
	page.Sources, page.Partial = m.describe(next), next.partial
	return page, nil
}

// failed is the error of a page that is none, for want of its sources.
func (m *merger) failed(next *chain) error {
	return &SourcesError{Code: ErrUnavailable, Sources: m.describe(next), Err: errors.Join(m.reasons...)}
}

// failures counts the sources of which rows are missing.
func (m *merger) failures() int {
	failed := 0
	for _, s := range m.statuses {
		if s.State != SourceExhausted {
			failed++
		}
	}
	return failed
}

// goesOn tells if a source that answered may have more rows. A list does not go on for
// the sake of those that failed: it ends, and says that it is partial.
func (m *merger) goesOn(next *chain) bool {
	return slices.ContainsFunc(m.feeds, func(f *feed) bool {
		return f.err == nil && next.sources[f.index].mode == modeActive
	})
}

// describe returns the states of all sources.
func (m *merger) describe(next *chain) []SourceStatus {
	all := make([]SourceStatus, len(next.sources))
	for i, s := range next.sources {
		all[i] = SourceStatus{Name: s.name, State: SourceOK}
		if noted, is := m.statuses[s.name]; is {
			all[i] = noted
		} else if s.mode != modeActive {
			all[i].State, all[i].Code = s.mode.status()
		}
	}
	return all
}

// A sourceError says which source an error is of.
type sourceError struct {
	name string
	err  error
}

func (e *sourceError) Error() string { return e.name + ": " + e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }
