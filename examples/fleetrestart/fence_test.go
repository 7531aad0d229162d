package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/internal/programtest"
)

func madeFleet(t *testing.T) fleet {
	t.Helper()
	f := newFleet(t)
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTheFenceRefusesATokenBelowTheHighest(t *testing.T) {
	t.Parallel()
	f := madeFleet(t)
	for _, step := range []struct {
		token  uint64
		passes bool
	}{{7, true}, {7, true}, {9, true}, {8, false}, {7, false}, {9, true}, {10, true}} {
		done := false
		err := f.pass(t.Context(), step.token, func() error { done = true; return nil })
		if done != step.passes || errors.As(err, &refusal{}) == step.passes {
			t.Errorf("token %d passes is %t (%v), want %t", step.token, done, err, step.passes)
		}
	}
}

func TestTheFenceIsShutWhenItsTokenCannotBeRead(t *testing.T) {
	t.Parallel()
	f := madeFleet(t)
	if err := os.WriteFile(f.path("fence.token"), []byte("seven\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := f.pass(t.Context(), 1<<63, func() error { t.Error("somebody passes"); return nil })
	if err == nil {
		t.Error("the fence says nothing about a token file that is none")
	}
	if err := os.Remove(f.path("fence.token")); err != nil {
		t.Fatal(err)
	}
}

// A child whose restarter was killed may come up after the next restart has begun.
func TestAChildOfAnEarlierRestarterDoesNotStart(t *testing.T) {
	t.Parallel()
	f := madeFleet(t)
	if err := f.pass(t.Context(), 5, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	_, err := f.launch(t.Context(), "agent-1", 4)
	if err == nil || !strings.Contains(err.Error(), refusal{4, 5}.Error()) {
		t.Errorf("a child with an older token starts with the error %v, want %v", err, refusal{4, 5})
	}
	if _, err := f.read("agent-1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a child that was refused has a pid file (%v)", err)
	}
	if _, err := f.launch(t.Context(), "agent-1", 5); err != nil {
		t.Errorf("a child with the token of this restart does not start: %v", err)
	}
}

// A restarter was killed while it started a child. The next one sees no trace of the
// child when it begins, so the child must not come up after that.
func TestARestartShutsOutWhatAnEarlierOneHasOnTheWay(t *testing.T) {
	t.Parallel()
	f := madeFleet(t)
	killed := grant(t, f)
	next, err := arguments{dir: f.dir}.lock().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer next.Release()
	if err := newRestart(t.Context(), f, next, arguments{}, &progress{new(programtest.Notes)}).begin(); err != nil {
		t.Fatal(err)
	}
	want := refusal{killed.Token(), next.Token()}
	if _, err := f.launch(t.Context(), "agent-1", killed.Token()); err == nil || err.Error() != want.Error() {
		t.Errorf("a late child starts with the error %v, want %v", err, want)
	}
}

func TestTheFleetRefusesARestarterThatDoesNotKnowThatItIsLate(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	succeed(t, f, "-agents", "1")
	late := newRestart(t.Context(), f, grant(t, f), arguments{}, &progress{new(programtest.Notes)})
	succeed(t, f, "-agents", "1")
	if err := late.stop(t.Context(), &row{name: "agent-1"}); !errors.As(err, &refusal{}) {
		t.Errorf("a late restarter stops an agent with the error %v, want that it is refused", err)
	}
	wholeFleet(t, f, "holder", "agent-1")
}

// grant returns what is left of a grant of the fleet's lock.
func grant(t *testing.T, f fleet) *fleetlock.Held {
	t.Helper()
	held, err := arguments{dir: f.dir}.lock().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Release(); err != nil {
		t.Fatal(err)
	}
	return held
}
