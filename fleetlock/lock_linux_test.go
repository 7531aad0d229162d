package fleetlock

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestATokenRisesWithEveryGrantAndSurvivesEverything(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	last := uint64(0)
	for range 3 {
		l := File(path)
		for range 3 {
			last = mustRise(t, last, mustAcquire(t, l))
		}
		last = max(last, deadHolder(t, path))
		h := mustAcquire(t, l)
		if err := File(path).Break(t.Context(), h.Token(), "the test says so"); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil { // not even that starts it again
			t.Fatal(err)
		}
		last = max(last, h.Token())
	}
}

func TestReleaseIsIdempotent(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	h := mustAcquire(t, File(path))
	for range 3 {
		mustRelease(t, h)
	}
	next := mustAcquire(t, File(path))
	mustRelease(t, h)
	if err := next.Err(); err != nil {
		t.Errorf("a second release freed what another holds: %v", err)
	}
	if err := File(path).Break(t.Context(), next.Token(), "the test says so"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := next.Release(); !errors.Is(err, ErrLost) {
			t.Errorf("what was lost is released with %v", err)
		}
	}
}

func TestAHolderIsToldThatItReleased(t *testing.T) {
	t.Parallel()
	h := mustAcquire(t, File(lockPath(t)))
	early := h.Context()
	if early.Err() != nil || h.Context() != early {
		t.Errorf("the context of a holder is %v, and another at the next call", early.Err())
	}
	mustRelease(t, h)
	for name, err := range map[string]error{
		"Err": h.Err(), "its context": context.Cause(early), "a context of afterwards": context.Cause(h.Context()),
	} {
		if !errors.Is(err, ErrReleased) || errors.Is(err, ErrLost) {
			t.Errorf("after a release the holder is told %v by %s", err, name)
		}
	}
	lost := mustAcquire(t, File(lockPath(t)))
	if err := lost.lock.Break(t.Context(), lost.Token(), "the test says so"); err != nil {
		t.Fatal(err)
	}
	_ = lost.Release()
	if cause := context.Cause(lost.Context()); !errors.Is(cause, ErrLost) {
		t.Errorf("a context that is made after a loss has the cause %v", cause)
	}
}

func TestOthersSeeWhoHoldsTheLock(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	began := time.Now().Add(-time.Second)
	h := mustAcquire(t, File(path, Label("deploy 1742"), Lease(time.Minute)))
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	want := Holder{Token: h.Token(), Label: "deploy 1742", Host: host, PID: os.Getpid(), Lease: time.Minute}
	info, err := File(path).Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]Holder{"Inspect": info.Holders[0], "BusyError": mustBeBusy(t, File(path))} {
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Holder{}, "Since", "Until")); diff != "" {
			t.Errorf("the holder by %s (-want +got):\n%s", name, diff)
		}
		if got.Since.Before(began) || got.Since.After(time.Now().Add(time.Second)) || got.Until.Before(got.Since) {
			t.Errorf("by %s the lock is held since %v until %v", name, got.Since, got.Until)
		}
	}
	if info.State != StateHeld {
		t.Errorf("a held lock is %v", info.State)
	}
	mustRelease(t, h)
	if info, err := File(path).Inspect(t.Context()); err != nil || info.State != StateFree || len(info.Holders) > 0 || info.Last.Token != h.Token() {
		t.Errorf("after a release the lock is %+v, %v", info, err)
	}
	dead := deadHolder(t, path)
	if info, err := File(path).Inspect(t.Context()); err != nil || info.State != StateExpired || len(info.Holders) > 0 || info.Last.Token != dead {
		t.Errorf("after the death of its holder the lock is %+v, %v", info, err)
	}
}

func TestBreakTakesTheLockFromTheTokenThatWasSeenAndNoOther(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	l := File(path)
	mustRelease(t, mustAcquire(t, l))
	for _, watched := range []bool{false, true} {
		h := mustAcquire(t, File(path))
		ctx := context.Background()
		if watched {
			ctx = h.Context()
		}
		for _, token := range []uint64{0, h.Token() - 1, h.Token() + 1} {
			if err := l.Break(t.Context(), token, "a mistake"); !errors.Is(err, ErrNotHeld) {
				t.Errorf("token %d is broken while %d is held: %v", token, h.Token(), err)
			}
		}
		if err := h.Err(); err != nil {
			t.Errorf("a Break of other tokens cost the holder its lock: %v", err)
		}
		if err := l.Break(t.Context(), h.Token(), "it hangs"); err != nil {
			t.Fatal(err)
		}
		if watched {
			select {
			case <-ctx.Done():
			case <-time.After(patiently):
				t.Error("the context of a broken holder does not end")
			}
		}
		if err := h.Err(); !errors.Is(err, ErrLost) {
			t.Errorf("a broken holder is told %v", err)
		}
		if err := l.Break(t.Context(), h.Token(), "again"); !errors.Is(err, ErrNotHeld) {
			t.Errorf("a lock is broken twice: %v", err)
		}
		if info, err := l.Inspect(t.Context()); err != nil || info.Why != "it hangs" || info.State != StateFree {
			t.Errorf("a broken lock is %+v, %v", info, err)
		}
		// The old holder still lives, and has not released: it is in nobody's way.
		next := mustAcquire(t, File(path))
		if next.Token() <= h.Token() {
			t.Errorf("token %d follows token %d", next.Token(), h.Token())
		}
		again := mustRise(t, 0, next)
		mustRise(t, again, mustAcquire(t, h.lock)) // through the old holder's own Lock, too
		if err := h.Release(); !errors.Is(err, ErrLost) {
			t.Errorf("a broken holder releases with %v", err)
		}
	}
}

func TestAProcessIsToldOfABreakByItsContext(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	p := startProcess(t, lockSpec{Path: path})
	token := p.must(request{Do: "acquire"}).Token
	p.must(request{Do: "watch"})
	time.Sleep(20 * time.Millisecond)
	p.send(request{Do: "hear", Within: patiently})
	if err := File(path).Break(t.Context(), token, "it hangs"); err != nil {
		t.Fatal(err)
	}
	answer, err := p.receive()
	if err != nil {
		t.Fatal(err)
	}
	lost := new(LostError)
	if err := answer.err(); !errors.As(err, &lost) || lost.Token != token {
		t.Errorf("a process whose lock was broken is told %v", err)
	}
}

func TestBadOptionsAndPathsAreTheErrorOfEveryMethod(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	for name, opt := range map[string]Option{
		"a short lease":           Lease(MinLease - 1),
		"a negative lease":        Lease(-time.Hour),
		"a long label":            Label(strings.Repeat("x", maxLabel+1)),
		"a mode without a user":   Perm(0o066),
		"a mode to read only":     Perm(0o400),
		"a mode to run":           Perm(0o755),
		"a mode with a set-uid":   Perm(0o600 | os.ModeSetuid),
		"the mode of a directory": Perm(0o600 | os.ModeDir),
	} {
		l := File(path, opt)
		for method, err := range map[string]error{
			"Acquire": second(l.Acquire(t.Context())), "TryAcquire": second(l.TryAcquire(t.Context())),
			"Inspect": second(l.Inspect(t.Context())), "Resume": second(l.Resume(t.Context(), "")),
			"Break": l.Break(t.Context(), 1, ""), "Repair": l.Repair(t.Context(), ""),
		} {
			if err == nil {
				t.Errorf("%s takes %s", method, name)
			}
		}
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a lock with a bad option made a file: %v", err)
	}
	for name, opt := range map[string]Option{
		"the shortest lease": Lease(MinLease), "the longest label": Label(strings.Repeat("x", maxLabel)),
		"no label": Label(""), "no lease": Lease(0), "a shared mode": Perm(0o666),
	} {
		h, err := File(lockPath(t), opt).TryAcquire(t.Context())
		if err != nil {
			t.Errorf("%s is refused: %v", name, err)
			continue
		}
		_ = h.Release() // a short lease may be over on a busy machine
	}
}

func TestAContextThatHasEndedGrantsNothing(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l := File(path)
	for method, err := range map[string]error{
		"Acquire": second(l.Acquire(ctx)), "TryAcquire": second(l.TryAcquire(ctx)), "Inspect": second(l.Inspect(ctx)),
		"Resume": second(l.Resume(ctx, "")), "Break": l.Break(ctx, 1, ""), "Repair": l.Repair(ctx, ""),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s answers a context that has ended with %v", method, err)
		}
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a context that has ended made a file: %v", err)
	}
}

func TestTextsAreKeptWholeOrCutToTheirRoom(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	label := strings.Repeat("\x00ü", maxLabel/3)
	h := mustAcquire(t, File(path, Label(label)))
	if holder := mustBeBusy(t, File(path)); holder.Label != label {
		t.Errorf("the label %q is seen as %q", label, holder.Label)
	}
	why := strings.Repeat("w", 1000)
	if err := File(path).Break(t.Context(), h.Token(), why); err != nil {
		t.Fatal(err)
	}
	if info, err := File(path).Inspect(t.Context()); err != nil || info.Why != why[:maxWhy] {
		t.Errorf("a reason of 1000 bytes is kept as %q, %v", info.Why, err)
	}
}
