package fleetlock

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// A remote is a lock's record in a Register: what all views of one Lock share.
type remote struct {
	register Register
	name     string
	slots    int
	lease    time.Duration
	clock    clock

	mu       sync.Mutex
	last     *page // that was seen; there may be a newer one, which a swap finds out
	changes  subject
	watchers int
	unwatch  context.CancelFunc
}

// A page is a record of the register as this process has read it.
type page struct {
	version uint64
	at      instant // it was read
	ledger
	until map[string]instant // when each term is over, by the clock of this process
}

// end is when a term is over. One that the register does not know is.
func (p page) end(id string) instant {
	if until, ok := p.until[id]; ok {
		return until
	}
	return p.at
}

func (p page) over(id string, now instant) bool {
	left, _ := p.end(id).sub(now)
	return left <= 0
}

// newPage reads a record. What a register says is left is counted from when it has
// answered, so that no term ends early.
func (r *remote) newPage(got Record) (page, error) {
	now := r.clock.now()
	p := page{version: got.Version, at: now, until: make(map[string]instant, len(got.Terms))}
	if got.Version == 0 {
		p.Token = got.Token
		if p.Token == 0 { // a record may have been lost: see writeFirst
			p.Token = uint64(time.Now().UnixMicro())
		}
		return p, nil
	}
	var err error
	if p.ledger, err = decodeLedger(got.Text); err != nil {
		return page{}, err
	}
	p.Token = max(p.Token, got.Token)
	for _, term := range got.Terms {
		p.until[term.ID] = now.add(max(term.Left, 0))
	}
	return p, nil
}

// near reports whether the record is on this machine, where errors do not pass by
// themselves.
func (r *remote) near() bool {
	_, ok := r.register.(*roll)
	return ok
}

// rideTime is how long an operation on a lock goes on making calls that fail.
func (r *remote) rideTime() time.Duration {
	if r.near() {
		return time.Second
	}
	return max(r.lease/4, time.Second)
}

// ownTime is that for a renewal or release, which nobody needs after a whole lease.
func (r *remote) ownTime() time.Duration {
	if r.near() {
		return r.rideTime()
	}
	return max(r.rideTime(), r.lease)
}

// callTime is how long the first of these calls may take, and the longest. The first is
// short, since the next may be answered by another server.
func (r *remote) callTime() (first, most time.Duration) {
	return max(r.lease/16, 100*time.Millisecond), max(r.lease/4, time.Second)
}

// An effort is how long calls that fail are made again: until ctx or the time ends.
type effort struct {
	ctx context.Context
	end time.Time
}

// call makes one call of the register, after tries that have failed.
func (r *remote) call(e effort, tries int, do func(context.Context) error) error {
	first, most := r.callTime()
	ctx, cancel := context.WithTimeout(e.ctx, min(first<<min(tries, 10), most, time.Until(e.end)))
	defer cancel()
	return do(ctx)
}

// read loads the record, over and over until the register answers or the effort ends.
func (r *remote) read(e effort) (page, error) {
	var said complaint
	for tries, pause := 0, firstRetry; ; tries, pause = tries+1, pause.next() {
		p, err := r.readOnce(e, tries)
		err = said.with(err)
		if err == nil || errors.Is(err, ErrCorrupt) || errors.Is(err, ErrUnsafe) || !pause.lasts(e, r.clock) {
			return p, err
		}
	}
}

func (r *remote) readOnce(e effort, tries int) (p page, err error) {
	var got Record
	err = r.call(e, tries, func(ctx context.Context) (err error) {
		got, err = r.register.Load(ctx, r.name)
		return err
	})
	if err != nil {
		return page{}, err
	}
	if p, err = r.newPage(got); err == nil {
		r.keep(p)
	}
	return p, err
}

func (r *remote) keep(p page) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = &p
}

// newest returns the newest record that is known, if it will do, and loads it otherwise.
func (r *remote) newest(e effort, will func(page) bool) (page, error) {
	r.mu.Lock()
	last := r.last
	r.mu.Unlock()
	if last != nil && will(*last) {
		return *last, nil
	}
	return r.read(e)
}

// An edit is a change of a ledger.
type edit struct {
	next  ledger
	terms map[string]time.Duration // that start with it
	quiet bool
	// done reports whether a ledger has the change in it.
	done func(ledger) bool
}

// write makes the change of a page. The error is errChanged, and the page the new one,
// if that was not the newest any more.
//
// A call that fails may have done what it was to do, or do it yet: its connection
// broke between the commit and the answer. So it is made again, until it is made or the
// record has changed: one call at most can make the change, since after that the version
// is another. Who has changed the record, the stamp tells; that may have been a call that
// failed, and also one that database/sql has made by itself.
func (r *remote) write(long effort, p page, e edit) (page, error) {
	text, err := e.next.encode()
	if err != nil {
		return p, err
	}
	var said complaint
	for tries, pause := 0, firstRetry; ; tries, pause = tries+1, pause.next() {
		var version uint64
		err := r.call(long, tries, func(ctx context.Context) (err error) {
			version, err = r.register.Swap(ctx, r.name, p.version, Record{
				Token: e.next.Token, Text: text, Terms: e.list(), Quiet: e.quiet,
			})
			return err
		})
		err = said.with(err)
		if err == nil {
			left := p.with(e, version, r.clock.now()) // now: no earlier than the register counts from
			r.keep(left)
			return left, nil
		}
		if errors.Is(err, ErrChanged) || tries%2 == 1 {
			if now, readErr := r.read(long); readErr == nil && now.version != p.version {
				return now, e.outcome(now)
			}
		}
		if !pause.lasts(long, r.clock) {
			return p, err
		}
	}
}

// outcome tells from the record that followed whether it was this change that was made.
func (e edit) outcome(now page) error {
	if e.done(now.ledger) {
		return nil
	}
	return errChanged
}

// list is the terms of the record that is to be.
func (e edit) list() []Term {
	terms := make([]Term, 0, len(e.next.Holders)+len(e.next.Line))
	for _, h := range e.next.Holders {
		id := holderTerm(h.Token)
		terms = append(terms, Term{ID: id, Length: e.terms[id]})
	}
	for _, w := range e.next.Line {
		id := placeTerm(w.ID)
		terms = append(terms, Term{ID: id, Length: e.terms[id]})
	}
	return terms
}

// with is the page as it is after a change.
func (p page) with(e edit, version uint64, now instant) page {
	left := page{version: version, at: now, ledger: e.next, until: make(map[string]instant)}
	for _, term := range e.list() {
		if left.until[term.ID] = p.end(term.ID); term.Length > 0 {
			left.until[term.ID] = now.add(term.Length)
		}
	}
	return left
}

// A complaint is what a register has said last, other than nothing until the time was up.
type complaint struct{ error }

// with adds it to an error that says only that.
func (c *complaint) with(err error) error {
	switch up := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled); {
	case !up:
		c.error = err
	case c.error != nil:
		return fmt.Errorf("%w, after %w", err, c.error)
	}
	return err
}

// A retry is the time to the next call of a register that failed.
type retry time.Duration

const firstRetry = retry(5 * time.Millisecond)

func (p retry) next() retry { return min(p*2, retry(250*time.Millisecond)) }

// lasts sleeps, and reports whether the effort lasts until the next call.
func (p retry) lasts(e effort, c clock) bool {
	ctx, cancel := context.WithDeadline(e.ctx, e.end)
	defer cancel()
	return nap(ctx, c, time.Duration(p)) == nil
}

// newStamp is drawn once and never again.
func newStamp() string { return strings.ToLower(rand.Text())[:16] }

// listen has the register watched as long as anyone listens.
func (r *remote) listen() *listener {
	heard := r.changes.listen(nil)
	stop := heard.stop
	heard.stop = func() {
		stop()
		r.watch(-1)
	}
	r.watch(1)
	return heard
}

// watch counts those who listen.
func (r *remote) watch(more int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.watchers
	r.watchers += more
	switch {
	case before == 0 && r.watchers > 0:
		ctx, cancel := context.WithCancel(context.Background())
		r.unwatch = cancel
		go r.keepWatching(ctx)
	case before > 0 && r.watchers == 0:
		r.unwatch()
	}
}

func (r *remote) keepWatching(ctx context.Context) {
	for pause := firstRetry; ; pause = pause.next() {
		began := r.clock.now()
		_ = r.register.Watch(ctx, r.name, r.changes.notify) // whoever waits looks by itself, too
		if lasted, _ := r.clock.now().sub(began); lasted > time.Second {
			pause = firstRetry
		}
		if nap(ctx, r.clock, time.Duration(pause)) != nil {
			return
		}
		r.changes.notify() // of what happened while nobody watched
	}
}
