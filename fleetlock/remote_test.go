package fleetlock

import (
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

// The line is of one who died in front, of who leaves, and of a third.
func TestWhoLeavesTheLineTakesTheDeadAlong(t *testing.T) {
	t.Parallel()
	s, err := On(NewRolls(t.TempDir()), "a", Lease(time.Minute)).current()
	if err != nil {
		t.Fatal(err)
	}
	v := s.(view)
	v.place = "leaves"
	p, err := v.read(v.effort())
	if err != nil {
		t.Fatal(err)
	}
	e := edit{next: p.clone(), terms: map[string]time.Duration{placeTerm("dead"): time.Millisecond}}
	for _, id := range []string{"dead", v.place, "third"} {
		e.next.Line = append(e.next.Line, spot{ID: id, Lease: time.Minute})
	}
	if _, err := v.write(v.effort(), p, e); err != nil {
		t.Fatal(err)
	}
	time.Sleep(5 * time.Millisecond)
	v.leave()
	if p, err = v.read(v.effort()); err != nil || len(p.Line) != 1 || p.Line[0].ID != "third" || p.over(placeTerm("third"), p.at) {
		t.Errorf("the line is %+v with the terms %v, %v", p.Line, p.until, err)
	}
}
