package fleetlock

import (
	"context"
	"errors"
	"slices"
	"time"
)

// A view is a remote lock as the state machine of a lock sees it: a store with one
// record. It shows whoever has a token or, of none, whoever stands in the way of the
// next holder.
type view struct {
	*remote
	ctx   context.Context
	ride  time.Duration // how long it tries what fails
	token uint64        // whose record it shows, or zero
	owner string        // of the token, if its holder is in this process
	place string        // in the line, or empty
}

func (r *remote) view(ctx context.Context) view { return view{remote: r, ctx: ctx, ride: r.rideTime()} }

// in returns the store whose calls end with ctx, where a store's calls can.
func in(ctx context.Context, s store) store {
	if v, ok := s.(view); ok {
		v.ctx = ctx
		return v
	}
	return s
}

// of returns the store that shows who has a token, where it can have several holders.
func of(token uint64, s store) store {
	if v, ok := s.(view); ok {
		return view{remote: v.remote, ctx: v.ctx, ride: v.ride, token: token}
	}
	return s
}

// own is of, for the holder itself.
func own(granted snapshot, s store) store {
	v, ok := of(granted.token, s).(view)
	if !ok {
		return s
	}
	v.ctx, v.owner = context.Background(), granted.owner
	return v
}

// same reports whether two stores are one place.
func same(a, b store) bool {
	v, ok := a.(view)
	w, also := b.(view)
	if ok && also {
		return v.remote == w.remote
	}
	return a == b
}

func (v view) effort() effort { return effort{v.ctx, time.Now().Add(v.ride)} }

func (v view) load() (snapshot, error) {
	long := v.effort()
	p, err := v.read(long)
	if err != nil {
		return snapshot{}, err
	}
	switch {
	case v.place != "":
		p, err = v.stand(long, p)
	case v.token == 0:
		p, err = v.pass(p)
	}
	if err != nil {
		return snapshot{}, err
	}
	return v.show(p), nil
}

// show is what the view sees on a page.
func (v view) show(p page) snapshot {
	r := v.record(p)
	r.highest = p.Token
	return snapshot{r, version{p.version, p.Token}}
}

func (v view) record(p page) record {
	if v.token != 0 {
		if i := p.holder(v.token); i >= 0 && v.owns(p.Holders[i]) {
			return p.recordOf(i)
		}
		return p.after(v.token)
	}
	now := v.clock.now()
	if !v.open(p, now) {
		return v.inTheWay(p, now)
	}
	for i, h := range p.Holders {
		if p.over(holderTerm(h.Token), now) {
			return p.recordOf(i)
		}
	}
	return p.free()
}

// owns reports whether an entry is that of the holder in this process, if it is a view of
// one.
func (v view) owns(e entry) bool { return v.owner == "" || v.owner == e.Owner }

// room is how many slots nobody has who lives.
func (v view) room(p page, now instant) int {
	room := v.slots
	for _, h := range p.Holders {
		if !p.over(holderTerm(h.Token), now) {
			room--
		}
	}
	return room
}

// open reports whether there is room for the next holder, and it is this one's turn.
func (v view) open(p page, now instant) bool {
	room := v.room(p, now)
	for i, w := range p.Line {
		if w.ID == v.place {
			break
		}
		if !v.absent(p, i, now) {
			room--
		}
	}
	return room > 0
}

// inTheWay is the record of the holder whose term ends first or, if holders have left
// room, of who waits in front.
func (v view) inTheWay(p page, now instant) record {
	var first record
	for i, h := range p.Holders {
		r := p.recordOf(i)
		if p.over(holderTerm(h.Token), now) {
			continue
		}
		if left, _ := r.until.sub(first.until); first.token == 0 || left < 0 {
			first = r
		}
	}
	if v.room(p, now) <= 0 {
		return first
	}
	for i, w := range p.Line {
		if !v.absent(p, i, now) {
			return w.record(now, first)
		}
	}
	return first
}

func (p page) recordOf(i int) record {
	return p.Holders[i].record(p.end(holderTerm(p.Holders[i].Token)))
}

// free is the record of a lock that nobody has, with who had it last.
func (p page) free() record {
	if p.Last == nil {
		return record{state: stateFree, token: p.Token}
	}
	r := p.Last.record(instant{}).release()
	r.why = p.Why
	return r
}

// after is what a holder sees whose entry is gone: who came after it if anyone did.
func (p page) after(token uint64) record {
	if p.broken(token) {
		return p.free()
	}
	for i, h := range slices.Backward(p.Holders) {
		if h.Token > token {
			return p.recordOf(i)
		}
	}
	return p.free()
}

func (v view) swap(seen version, next record) (snapshot, error) {
	if v.owner != "" {
		v.ride = v.ownTime()
	}
	long := v.effort()
	// A holder's entry changes by itself alone, so any page will do that has it.
	fits := func(p page) bool { return p.version == seen.sequence || v.owner != "" && p.holder(v.token) >= 0 }
	p, err := v.newest(long, fits)
	if err != nil {
		return snapshot{}, err
	}
	e, ok := v.edit(p, next)
	if !ok || !fits(p) {
		return v.show(p), errChanged
	}
	left, err := v.write(long, p, e)
	if err != nil {
		if next.token > p.Token {
			v.disown(next.token, e, err)
		}
		return v.show(left), err
	}
	return v.left(left, next), nil
}

// left is what a swap reports: to a holder its record, and to one who has released the
// lock whether it went to those who wait.
func (v view) left(p page, next record) snapshot {
	if next.state == stateFree {
		return v.remote.view(v.ctx).show(p)
	}
	if i := p.holder(next.token); i >= 0 {
		next.owner = p.Holders[i].Owner
	}
	next.highest = p.Token
	return snapshot{next, version{p.version, p.Token}}
}

// disown ends the term of a grant that failed. It may have been made, though nobody will
// know of it, unless the record is known to be another one.
func (v view) disown(token uint64, e edit, err error) {
	if book, ok := v.register.(*roll); ok {
		text, _ := e.next.encode() // it could be before
		book.disown(token, text)
	} else if !errors.Is(err, errChanged) {
		v.undo(e.done, func(e *edit) { e.next.end(e.next.holder(token), false, "") })
	}
}

// edit is the change from a page to one with the next record on it. It reports whether
// there is one: whose entry is gone can change nothing, nor whose turn it is not.
func (v view) edit(p page, next record) (edit, bool) {
	e := edit{next: p.clone(), terms: make(map[string]time.Duration), quiet: true}
	if next.token > p.Token {
		v.grant(p, &e, newEntry(next, ""))
		return e, v.token != 0 || v.open(p, v.clock.now()) // a ticket has its turn
	}
	i := e.next.holder(next.token)
	if i < 0 || !v.owns(e.next.Holders[i]) {
		return e, false
	}
	if next.state == stateFree {
		e.quiet = len(e.next.Line) == 0 && v.owner != ""
		e.next.end(i, v.owner == "", next.why)
		e.done = func(l ledger) bool { return l.holder(next.token) < 0 && (v.owner == "" || !l.broken(next.token)) }
		return e, true
	}
	e.start(next.token, next.lease)
	by := newEntry(next, e.next.Holders[i].Owner)
	e.next.Holders[i] = by
	e.done = func(l ledger) bool { return l.stamped(next.token, by.Stamp) }
	return e, true
}

// grant adds a holder, in the place of those whose terms are over, and of the ticket
// that it has.
func (v view) grant(p page, e *edit, by entry) {
	now := v.clock.now()
	for i := len(p.Holders) - 1; i >= 0; i-- {
		if token := p.Holders[i].Token; token == v.token || p.over(holderTerm(token), now) {
			e.next.end(i, false, "")
		}
	}
	v.advance(p, e, now)
	e.drop(v.place)
	v.begin(p, e, now)
	e.next.Token = by.Token
	e.next.Holders = append(e.next.Holders, by)
	if len(e.next.Holders) >= v.slots && !e.next.Broken {
		e.next.Last = nil // which is told of a lock that has room, and of a broken one
	}
	e.start(by.Token, by.Lease)
	e.done = func(l ledger) bool { return l.stamped(by.Token, by.Stamp) }
}

func (e *edit) start(token uint64, lease time.Duration) { e.terms[holderTerm(token)] = lease }

func (l ledger) stamped(token uint64, stamp string) bool {
	i := l.holder(token)
	return i >= 0 && l.Holders[i].Stamp == stamp
}

// verify has nothing to look for: a name leads to its record.
func (v view) verify() error { return nil }

// alive cannot be known from afar; a lease is there for that.
func (v view) alive(uint64) (bool, error) { return true, nil }

// abandon ends the term of a holder where the register can do that without a record.
func (v view) abandon(token uint64) bool {
	book, ok := v.register.(*roll)
	if ok {
		book.abandon(holderTerm(token))
	}
	return ok
}

func (v view) listen() (*listener, error) { return v.remote.listen(), nil }

// repair writes an empty ledger over what is not one.
func (v view) repair(why string) error {
	long := v.effort()
	if _, err := v.read(long); !errors.Is(err, ErrCorrupt) {
		return err
	}
	if book, ok := v.register.(*roll); ok {
		if err := v.call(long, 1, book.mend); err != nil {
			return err
		}
	}
	var got Record
	err := v.call(long, 1, func(ctx context.Context) (err error) {
		got, err = v.register.Load(ctx, v.name)
		return err
	})
	if err != nil {
		return err
	}
	for _, term := range got.Terms {
		if term.Left > 0 {
			return &BusyError{Path: v.name}
		}
	}
	last := entry{Token: max(got.Token, uint64(time.Now().UnixMicro())), Since: time.Now().UnixMicro()}
	e := edit{next: ledger{Token: last.Token, Last: &last, Broken: true, Why: why}}
	e.done = func(l ledger) bool { return l.Token == last.Token && len(l.Holders) == 0 }
	_, err = v.write(long, page{version: got.Version}, e)
	return err
}

// An inspection is a view for one look, of the lock and not of the line.
type inspection struct {
	view
	seen page
}

func (i *inspection) load() (snapshot, error) {
	p, err := i.read(i.effort())
	if err != nil {
		return snapshot{}, err
	}
	p.Line = nil
	i.seen = p
	return i.show(p), nil
}

// holders are those whose terms are not over.
func (i *inspection) holders(now instant) []Holder {
	var all []Holder
	for n, h := range i.seen.Holders {
		if !i.seen.over(holderTerm(h.Token), now) {
			all = append(all, i.seen.recordOf(n).describe())
		}
	}
	return all
}

func (i *inspection) close() {}
