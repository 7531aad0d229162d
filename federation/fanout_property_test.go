package federation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Random chains over random federations: 2 to 16 sources with ties across them, any size
// of page, sources that fail and come back, peers that break the contract, rows that come
// and go between two pages. FEDKIT_TORTURE=1 makes them 100,000.
func TestRandomChains(t *testing.T) {
	t.Parallel()
	chains := 150
	if os.Getenv("FEDKIT_TORTURE") != "" {
		chains = 100_000
	}
	// Each chain has a number of its own, by which it can be run again.
	first := uint64(time.Now().UnixNano())
	var begun atomic.Uint64
	total := make(map[string]int)
	var mu sync.Mutex
	t.Run("all", func(t *testing.T) { // ends when its subtests have
		for range runtime.GOMAXPROCS(0) {
			t.Run("chains", func(t *testing.T) {
				t.Parallel()
				seen := make(map[string]int)
				for n := begun.Add(1); n <= uint64(chains); n = begun.Add(1) {
					if !runChain(t, first+n, seen) {
						t.Fatalf("the chain %d broke a law; brokenChains is the place for it", first+n)
					}
					if n%10_000 == 0 {
						t.Logf("%d chains", n) // for who waits, with -v
					}
				}
				mu.Lock()
				defer mu.Unlock()
				for kind, times := range seen {
					total[kind] += times
				}
			})
		}
	})
	t.Logf("%d chains: %v", chains, total)
	kinds := []string{"pages", "complete", "partial", "failed", "violated", "ties", "came back"}
	if chains > 1000 { // what is rare is in many chains
		kinds = append(kinds, "denied", "skipped", "all failed", "short", "caught up")
	}
	for _, kind := range kinds {
		if total[kind] == 0 {
			t.Errorf("in %d chains there was nothing %s: %v", chains, kind, total)
		}
	}
}

// brokenChains are the numbers of chains that broke a law once, or seemed to.
var brokenChains = []uint64{1795561977773296981}

func TestChainsThatBrokeALawOnceKeepToIt(t *testing.T) {
	for _, n := range brokenChains {
		runChain(t, n, make(map[string]int))
	}
}

// A randomChain is one list, read to its end while its world changes.
type randomChain struct {
	*fakeFederation
	t       *testing.T
	rng     *rand.Rand
	number  uint64
	failing float64 // how likely a source fails for a page
	evil    *fakePeer
	churn   int
	nextID  int
	ever    map[rowKey]bool // rows that were ever there
	rows    []mergedRow
	bad     map[string]bool // sources that were neither ok nor exhausted once
	hit     map[string]bool // sources that failed once, also if nobody was told
	partial bool
	ok      bool
	seen    map[string]int
}

// runChain reads one random list and holds it to the laws.
func runChain(t *testing.T, number uint64, seen map[string]int) bool {
	t.Helper()
	rng := rand.New(rand.NewPCG(number, 0))
	local := rng.IntN(5) > 0
	peers := 1 + rng.IntN(15)
	if !local {
		peers++
	}
	c := &randomChain{
		fakeFederation: newFederation(t, peers, local), t: t, rng: rng, number: number, ok: true,
		ever: make(map[rowKey]bool), bad: make(map[string]bool), hit: make(map[string]bool), seen: seen,
	}
	if rng.IntN(2) == 0 {
		c.failing = []float64{0.02, 0.1, 0.5, 0.9}[rng.IntN(4)]
	}
	if rng.IntN(4) == 0 {
		c.evil = c.sources[len(c.sources)-1]
	}
	if rng.IntN(2) == 0 {
		c.churn = rng.IntN(12)
	}
	spread := 1 + rng.IntN(60)
	for _, p := range c.sources {
		p.cap = 1 + rng.IntN(60)
		for range rng.IntN(40) {
			c.insert(p, int64(rng.IntN(spread)), rng.IntN(2) == 0)
		}
	}
	c.read()
	return c.ok
}

func (c *randomChain) broken(format string, args ...any) {
	c.t.Errorf("chain %d: %s", c.number, fmt.Sprintf(format, args...))
	c.ok = false
}

// insert adds a row. Half of the ids are those of other sources, too.
func (c *randomChain) insert(p *fakePeer, micros int64, stays bool) {
	id := c.rng.IntN(12)
	if c.rng.IntN(2) == 0 {
		c.nextID++
		id = 100 + c.nextID
	}
	row := newFakeRow(1e15+micros, id)
	key := mergedRow{row, p.label()}.key()
	if c.ever[key] {
		return // a row that comes back would be another one
	}
	c.ever[key] = true
	row.stays = stays
	p.insert(row)
}

// read reads the list to its end.
func (c *randomChain) read() {
	token := ""
	for n, more := 0, true; more; n++ {
		if n > 2000 {
			c.broken("it does not end")
			return
		}
		c.change(n)
		limit := 1 + c.rng.IntN(25)
		page, err := c.list(context.Background(), limit, token)
		if err != nil {
			if !c.allFailed(err) || c.rng.IntN(10) == 0 {
				return // the reader gives up; what came is good
			}
			c.failing /= 2 // or comes again with the same cursor
			continue
		}
		c.check(page, limit)
		token, more = page.Next, page.Next != ""
	}
	c.finish()
}

// change is what happens between two pages.
func (c *randomChain) change(page int) {
	for i := 0; page > 0 && i < c.churn; i++ {
		p := c.sources[c.rng.IntN(len(c.sources))]
		if c.rng.IntN(2) == 0 {
			p.remove(c.rng)
		} else {
			c.insert(p, int64(c.rng.IntN(60)), false)
		}
	}
	for _, p := range c.sources {
		c.hit[p.label()] = c.hit[p.label()] || p.hit
		p.fault, p.after, p.hit = nil, 0, false
		if p == c.evil && page > 0 {
			p.fault = c.violation()
		} else if c.rng.Float64() < c.failing {
			p.fault, p.after = c.failure(), c.rng.IntN(3)*c.rng.IntN(2)
		}
	}
	if c.rng.IntN(4) == 0 {
		c.sleep(time.Duration(c.rng.Int64N(int64(2 * firstBreak))))
	}
	if c.rng.IntN(50) == 0 {
		c.sources[c.rng.IntN(len(c.sources))].generation++
	}
}

// failure is one of the ways in which a source fails.
func (c *randomChain) failure() func(*fakeReply) {
	switch c.rng.IntN(5) {
	case 0:
		return func(r *fakeReply) { r.err = errors.New("connection refused") }
	case 1:
		return func(r *fakeReply) { r.status, r.body = 503, "down" }
	case 2:
		return func(r *fakeReply) { r.status, r.body = 403, `{"error":{"code":"forbidden","message":"m"}}` }
	case 3:
		return func(r *fakeReply) { r.status, r.body = 429, `{"error":{"code":"rate_limited","message":"m"}}` }
	}
	return func(r *fakeReply) { r.err = context.DeadlineExceeded }
}

var violationNames = func() (names []string) {
	for name := range violations {
		names = append(names, name)
	}
	slices.Sort(names) // so that a chain can be run again
	return names
}()

// violation is one of the ways in which a peer breaks the contract.
func (c *randomChain) violation() func(*fakeReply) {
	violate := violations[violationNames[c.rng.IntN(len(violationNames))]]
	return func(r *fakeReply) {
		if len(r.items) > 1 && !r.peer.local {
			violate(r)
		}
	}
}

// allFailed holds an error to what an error may be.
func (c *randomChain) allFailed(err error) bool {
	var failed *SourcesError
	if !errors.As(err, &failed) || !errors.Is(err, ErrUnavailable) {
		c.broken("the page is %v", err)
		return false
	}
	for _, s := range failed.Sources {
		if s.State == SourceOK {
			c.broken("all failed, and %s is ok", s.Name)
		}
	}
	c.seen["all failed"]++
	return true
}

// check holds a page to the laws.
func (c *randomChain) check(page Page, limit int) {
	c.seen["pages"]++
	if len(page.Items) > limit || len(page.Items) == 0 && page.Next != "" {
		c.broken("a page of %d rows has %d, and goes on: %t", limit, len(page.Items), page.Next != "")
	}
	if page.Next != "" && len(page.Items) < limit {
		c.seen["short"]++
	}
	for _, item := range page.Items {
		row := readMerged(c.t, item)
		if n := len(c.rows); n > 0 {
			last := c.rows[n-1]
			if last.compare(row) >= 0 {
				c.broken("%v stands before %v", last.key(), row.key())
			}
			if last.fakeRow.compare(row.fakeRow) == 0 {
				c.seen["ties"]++
			}
		}
		if !c.ever[row.key()] && (c.evil == nil || row.source != c.evil.label()) {
			c.broken("%v was never there", row.key())
		}
		if c.bad[row.source] {
			c.seen["came back"]++
		}
		c.rows = append(c.rows, row)
	}
	c.checkSources(page)
}

// checkSources holds what is said of the sources to what they did.
func (c *randomChain) checkSources(page Page) {
	if !c.sources[0].local && len(page.Sources) > 0 {
		page.Sources = page.Sources[1:] // a grant that shows nothing here
	}
	if len(page.Sources) != len(c.sources) {
		c.broken("%d of %d sources are named", len(page.Sources), len(c.sources))
		return
	}
	for i, s := range page.Sources {
		p := c.sources[i]
		if s.Name != p.label() {
			c.broken("%s stands where %s belongs", s.Name, p.label())
		}
		switch s.State {
		case SourceOK, SourceExhausted:
			continue
		case SourceDenied:
			c.seen["denied"]++
		case SourceSkipped:
			c.seen["skipped"]++
		default:
			c.seen["failed"]++
		}
		if s.Code == ErrProtocolViolation {
			c.seen["violated"]++
		}
		if s.Code == ErrCatchingUp {
			c.seen["caught up"]++
		}
		if s.Code == ErrProtocolViolation && p != c.evil {
			c.broken("%s keeps to the contract and is said to break it", s.Name)
		}
		if !p.hit && !c.hit[s.Name] && s.Code != ErrCatchingUp {
			c.broken("%s never failed, and is said to be %s (%s)", s.Name, s.State, string(s.Code))
		}
		c.bad[s.Name] = true
		if !page.Partial {
			c.broken("%s is %s, and the page is not partial", s.Name, s.State)
		}
	}
	if c.partial && !page.Partial {
		c.broken("it is not partial any more")
	}
	c.partial = page.Partial
}

// finish holds the whole list to the laws: a source that was never said to have failed has
// given every row that was there all the time.
func (c *randomChain) finish() {
	given := make(map[rowKey]bool, len(c.rows))
	for _, row := range c.rows {
		given[row.key()] = true
	}
	for _, p := range c.sources {
		if c.bad[p.label()] {
			continue
		}
		for _, row := range p.rows {
			if key := (mergedRow{row, p.label()}).key(); row.stays && !given[key] {
				c.broken("%v is missing, and its source never failed", key)
			}
		}
	}
	switch {
	case c.partial:
		c.seen["partial"]++
	case len(c.bad) > 0:
		c.broken("%v failed, and it is not partial", c.bad)
	default:
		c.seen["complete"]++
	}
}
