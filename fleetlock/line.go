package fleetlock

import (
	"context"
	"errors"
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

// absent reports whether who stands at some place in the line is at the front and does
// not live.
func (v view) absent(p page, i int, now instant) bool {
	return i < v.slots && p.over(placeTerm(p.Line[i].ID), now)
}

// firstAbsent is whose place stands in v's way, though it is absent, or empty.
func (v view) firstAbsent(p page, now instant) string {
	for i, w := range p.Line {
		if w.ID == v.place {
			break
		}
		if v.absent(p, i, now) {
			return w.ID
		}
	}
	return ""
}

// advance takes the absent out of the line.
func (v view) advance(p page, e *edit, now instant) {
	for i, w := range p.Line {
		if v.absent(p, i, now) && w.ID != v.place {
			e.drop(w.ID)
		}
	}
}

// drop takes a place out of the line.
func (e *edit) drop(id string) {
	e.next.Line = slices.DeleteFunc(e.next.Line, func(w spot) bool { return w.ID == id })
}

// begin begins the terms of those who have come to the front.
func (v view) begin(p page, e *edit, now instant) {
	for _, w := range e.next.Line[:min(v.slots, len(e.next.Line))] {
		if id := placeTerm(w.ID); p.over(id, now) {
			e.terms[id] = v.lease
		}
	}
}

// pass takes the absent out of the line as long as they are in v's way: nobody would ever
// come past them who asks without standing in the line.
func (v view) pass(long effort, p page) (page, error) {
	for {
		now := v.clock.now()
		absent := v.firstAbsent(p, now)
		if absent == "" || v.open(p, now) {
			return p, nil
		}
		e := edit{next: p.clone(), terms: make(map[string]time.Duration)}
		v.advance(p, &e, now)
		v.begin(p, &e, now)
		e.done = func(l ledger) bool { return l.inLine(absent) < 0 }
		next, err := v.write(long, p, e)
		if err == nil && v.near() { // a file knows at once who lives of those that came to the front
			next, err = v.read(long)
		}
		if err != nil && !errors.Is(err, errChanged) {
			return p, err
		}
		p = next
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

// stands reports whether the place will last until it is looked at again.
func (v view) stands(p page, now instant) bool {
	i := p.inLine(v.place)
	left, _ := p.end(placeTerm(v.place)).sub(now)
	return i >= v.slots || i >= 0 && left > v.lease*5/8
}

// placed is the change that gives the place, or keeps it.
func (v view) placed(p page, now instant) edit {
	e := edit{next: p.clone(), terms: make(map[string]time.Duration), quiet: true}
	if e.next.inLine(v.place) < 0 {
		e.next.Line = append(e.next.Line, spot{ID: v.place, Host: hostname(), PID: processID})
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
}

// undo takes out of the record what nobody has any more, if it is there. It does not try
// for long, beside what others would wait.
func (v view) undo(there func(ledger) bool, take func(*edit)) {
	long := effort{context.WithoutCancel(v.ctx), time.Now().Add(max(lookTime, v.lease/64))}
	for {
		p, err := v.read(long)
		if err != nil || !there(p.ledger) {
			return
		}
		now := v.clock.now()
		e := edit{next: p.clone(), terms: make(map[string]time.Duration)}
		take(&e)
		v.advance(p, &e, now)
		v.begin(p, &e, now)
		e.done = func(l ledger) bool { return !there(l) }
		if _, err := v.write(long, p, e); !errors.Is(err, errChanged) {
			return
		}
	}
}
