package fleetlock

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Two goroutines use one Lock:
//
//	P: Inspect loads the record
//	Q:                           is granted the lock, and keeps the page
//	P: keeps its page, in which nobody holds the lock
//	Q:                           holds
func TestAHolderKnowsWhichEntryIsItsOwnWhateverElseWasRead(t *testing.T) {
	t.Parallel()
	lock := On(NewRolls(t.TempDir()), "a", Lease(time.Minute))
	s, err := lock.current()
	if err != nil {
		t.Fatal(err)
	}
	v := s.(view)
	free, err := v.load()
	if err != nil {
		t.Fatal(err)
	}
	before := *v.last
	granted, err := v.swap(free.version, free.grant(lock.identity(), time.Minute, lock.options.clock.now()))
	v.keep(before)
	h, err := lock.receive(new(Held), v, granted, err)
	if err != nil {
		t.Fatal(err)
	}
	p, err := v.read(v.effort())
	if err != nil || len(p.Holders) != 1 {
		t.Fatalf("the lock has the holders %v, %v", p.Holders, err)
	}
	if owner := h.store.(view).owner; owner != p.Holders[0].Owner {
		t.Errorf("who holds the lock as %q takes itself for %q", p.Holders[0].Owner, owner)
	}
	if err := h.Release(); err != nil {
		t.Error(err)
	}
	if p, err = v.read(v.effort()); err != nil || p.Broken {
		t.Errorf("after a release the lock is broken: %v, %v", p.Broken, err)
	}
}

// Whether a swap tells others of the change.
type noisy struct {
	Register
	quiet bool // of the last one
}

func (n *noisy) Swap(ctx context.Context, name string, seen uint64, next Record) (uint64, error) {
	n.quiet = next.Quiet
	return n.Register.Swap(ctx, name, seen, next)
}

// lined returns a view of a lock that nobody holds, whose line is of one who died in front
// and others, each with a lease of an hour.
func lined(t *testing.T, others ...string) (v view, register *noisy) {
	t.Helper()
	register = &noisy{Register: NewRolls(t.TempDir())}
	s, err := On(register, "a", Lease(time.Minute)).current()
	if err != nil {
		t.Fatal(err)
	}
	v = s.(view)
	p, err := v.read(v.effort())
	if err != nil {
		t.Fatal(err)
	}
	e := edit{next: p.clone(), terms: map[string]time.Duration{placeTerm("dead"): time.Millisecond}}
	for _, id := range append([]string{"dead"}, others...) {
		e.next.Line = append(e.next.Line, spot{ID: id, Lease: time.Hour})
	}
	if _, err := v.write(v.effort(), p, e); err != nil {
		t.Fatal(err)
	}
	time.Sleep(5 * time.Millisecond)
	return v, register
}

// mustBeNext fails the test unless one alone stands in the line, with its whole term.
func mustBeNext(t *testing.T, v view, id string) {
	t.Helper()
	p, err := v.read(v.effort())
	if err != nil || len(p.Line) != 1 || p.Line[0].ID != id {
		t.Fatalf("the line is %+v, %v", p.Line, err)
	}
	if left, _ := p.end(placeTerm(id)).sub(p.at); left < time.Hour/2 {
		t.Errorf("who is next has a term of %v", left)
	}
}

func TestWhoLeavesTheLineTakesTheDeadAlong(t *testing.T) {
	t.Parallel()
	v, register := lined(t, "leaves", "third")
	v.place = "leaves"
	v.leave()
	mustBeNext(t, v, "third")
	if register.quiet {
		t.Error("who is next is not told")
	}
}

func TestWhoTriesBringsWhoIsBehindTheDeadToTheFront(t *testing.T) {
	t.Parallel()
	v, register := lined(t, "second")
	if seen, err := v.load(); err != nil || seen.state != stateHeld {
		t.Errorf("before who waits one sees %+v, %v", seen, err)
	}
	mustBeNext(t, v, "second")
	if register.quiet {
		t.Error("who is next is not told")
	}
}

func TestWhoWaitsBehindTheDeadTakesThemOut(t *testing.T) {
	t.Parallel()
	v, _ := lined(t, "second", "third")
	p, err := v.read(v.effort())
	if err != nil {
		t.Fatal(err)
	}
	e := edit{next: p.clone(), terms: map[string]time.Duration{holderTerm(p.Token + 1): time.Hour}}
	e.next.Token++ // somebody holds the lock
	e.next.Holders = []entry{{Token: e.next.Token, Lease: time.Hour}}
	if _, err := v.write(v.effort(), p, e); err != nil {
		t.Fatal(err)
	}
	v.place, v.ctx = "second", t.Context()
	if _, err := v.load(); err != nil {
		t.Fatal(err)
	}
	if p, err = v.read(v.effort()); err != nil || len(p.Line) != 2 || p.Line[0].ID != "second" || p.over(placeTerm("second"), p.at) {
		t.Errorf("the line is %+v with the terms %v, %v", p.Line, p.until, err)
	}
}

// Time passes between the look at who is in the way and the grant:
//
//	P: looks, and a holder's lease is about to end
//	   it ends, and others stand in line
//	P: is not granted the lock before them
func TestAGrantIsForWhoseTurnItIsThen(t *testing.T) {
	t.Parallel()
	v, _ := lined(t, "second")
	seen, err := v.load()
	if err != nil {
		t.Fatal(err)
	}
	late := seen.grant(identity{host: "there"}, time.Minute, v.clock.now())
	if _, err := v.swap(seen.version, late); !errors.Is(err, errChanged) {
		t.Errorf("a grant before who stands in line: %v", err)
	}
	mustBeNext(t, v, "second")
}

func TestWhoIsNextStandsInTheWayNoLongerThanAHolder(t *testing.T) {
	t.Parallel()
	now := systemClock.now()
	for end, want := range map[time.Duration]time.Duration{time.Second: time.Second, time.Hour: time.Minute} {
		r := spot{Host: "there", Lease: time.Minute}.record(now, record{token: 1, until: now.add(end)})
		if left, _ := r.until.sub(now); left != want {
			t.Errorf("beside a holder for %v it stands in the way for %v", end, left)
		}
	}
}
