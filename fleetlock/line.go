package fleetlock

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// waitInLine makes attempts as soon as they may succeed, from a place in the line that
// the register keeps.
func (l *Lock) waitInLine(ctx context.Context, v view) (*Held, error) {
	v = view{remote: v.remote, ctx: ctx, ride: max(v.lease, v.rideTime()), place: newStamp()}
	heard := v.remote.listen()
	defer heard.stop()
	for {
		h, left, err := l.attempt(v, l.grantOpen)
		switch busy := new(BusyError); {
		case errors.Is(err, errChanged):
			continue
		case err == nil:
			return h, nil
		case ctx.Err() != nil:
			v.leave()
			return nil, l.gaveUp(ctx)
		case !errors.As(err, &busy):
			v.leave()
			return nil, err
		}
		left = min(max(left, time.Millisecond), v.lease/4)
		if err := heard.sleep(ctx, l.options.clock, left); err != nil {
			v.leave()
			return nil, l.gaveUp(ctx)
		}
	}
}

// The front of the line are as many as the lock has slots: those who are next. They show
// that they live by terms of their own. Those behind show nothing, or everyone who waits
// would change the record all the time; their terms begin when they come to the front.

// absent reports whether who stands at some place in the line does not live. Of those
// behind the front a file alone can tell, whose page does not have the terms of the dead.
func (v view) absent(p page, i int, now instant) bool {
	id := placeTerm(p.Line[i].ID)
	if _, known := p.until[id]; !known && v.near() {
		return true
	}
	return i < v.slots && p.over(id, now)
}

// advance takes the absent out of the line, which may be somebody's turn.
func (v view) advance(p page, e *edit, now instant) {
	for i, w := range p.Line {
		if v.absent(p, i, now) && w.ID != v.place {
			e.drop(w.ID)
			e.quiet = false
		}
	}
}

// drop takes a place out of the line.
func (e *edit) drop(id string) {
	e.next.Line = slices.DeleteFunc(e.next.Line, func(w spot) bool { return w.ID == id })
}

// begin begins the terms of those who have come to the front: each has its own length,
// since its owner looks at it again accordingly.
func (v view) begin(p page, e *edit, now instant) {
	for _, w := range e.next.Line[:min(v.slots, len(e.next.Line))] {
		if id := placeTerm(w.ID); p.over(id, now) {
			e.terms[id] = w.Lease
		}
	}
}

// pass takes the absent out of v's way, who does not stand in the line: nobody else may
// ever do. Beside holders who leave no room that would change nothing.
func (v view) pass(p page) (page, error) {
	long := v.effort()
	if v.near() {
		long.end = time.Now().Add(patience)
	}
	for {
		now := v.clock.now()
		if len(p.Line) == 0 || v.room(p, now) <= 0 || v.open(p, now) {
			return p, nil
		}
		e := edit{next: p.clone(), terms: make(map[string]time.Duration), quiet: true}
		v.advance(p, &e, now)
		if len(e.next.Line) == len(p.Line) {
			return p, nil // nobody is absent
		}
		v.begin(p, &e, now)
		e.done = func(l ledger) bool { return slices.Equal(l.Line, e.next.Line) }
		next, err := v.write(long, p, e)
		switch {
		case err == nil || errors.Is(err, errChanged):
			p = next
		case v.near() && errors.Is(err, context.DeadlineExceeded):
			return p, v.ctx.Err() // somebody stands still with the guard: v is refused as it would be
		default:
			return p, err
		}
	}
}

// stand keeps the place in the line, at its end if it is a new one. If there is no room in
// the line, who waits has none, and looks again when something has changed.
func (v view) stand(long effort, p page) (page, error) {
	for {
		now := v.clock.now()
		if v.open(p, now) || v.stands(p, now) {
			return p, nil
		}
		e := v.placed(p, now)
		if len(e.next.Line) > maxLine(v.slots) && p.inLine(v.place) < 0 {
			return p, nil
		}
		next, err := v.write(long, p, e)
		if err != nil && !errors.Is(err, errChanged) {
			return p, err
		}
		p = next
	}
}

// stands reports whether the place will last until it is looked at again, and nobody
// is absent who stands before it.
func (v view) stands(p page, now instant) bool {
	for i, w := range p.Line {
		if w.ID == v.place {
			left, _ := p.end(placeTerm(v.place)).sub(now)
			return i >= v.slots || left > v.lease*5/8
		}
		if v.absent(p, i, now) {
			return false
		}
	}
	return false
}

// placed is the change that gives the place, or keeps it.
func (v view) placed(p page, now instant) edit {
	e := edit{next: p.clone(), terms: make(map[string]time.Duration), quiet: true}
	v.advance(p, &e, now)
	if e.next.inLine(v.place) < 0 {
		e.next.Line = append(e.next.Line, spot{ID: v.place, Host: hostname(), PID: processID, Lease: v.lease})
	}
	v.begin(p, &e, now)
	if e.next.inLine(v.place) < v.slots {
		e.terms[placeTerm(v.place)] = v.lease
	}
	e.done = func(l ledger) bool { return l.inLine(v.place) >= 0 }
	return e
}

// leave gives up the place, so that nobody waits for it to end.
func (v view) leave() {
	v.undo(func(l ledger) bool { return l.inLine(v.place) >= 0 }, func(e *edit) { e.drop(v.place) })
	if book, ok := v.register.(*roll); ok {
		book.abandon(placeTerm(v.place))
	}
}

// undo takes out of the record what nobody has any more, if it is there. It does not try
// for long what fails, beside what others would wait, but makes way for others who undo.
func (v view) undo(there func(ledger) bool, take func(*edit)) {
	try := lookTime
	if !v.near() {
		try = max(lookTime, v.lease/64)
	}
	ctx, end := context.WithoutCancel(v.ctx), time.Now().Add(max(try, v.lease/4))
	long := func() effort { return effort{ctx, time.Now().Add(try)} }
	p, err := v.read(long())
	for pause := firstRetry; err == nil && there(p.ledger) && time.Now().Before(end); pause = pause.next() {
		now := v.clock.now()
		e := edit{next: p.clone(), terms: make(map[string]time.Duration)}
		take(&e)
		v.advance(p, &e, now)
		v.begin(p, &e, now)
		e.done = func(l ledger) bool { return !there(l) }
		if p, err = v.write(long(), p, e); errors.Is(err, errChanged) {
			// Of many at once each makes the others write again, unless they spread out.
			err = nap(ctx, v.clock, time.Duration(rand.N(pause)))
		}
	}
}
