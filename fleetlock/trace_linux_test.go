package fleetlock

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/fleetlock/internal/model"
)

// What a lock costs without others, call by call, and that it is what internal/model
// explores.
func TestTheCallsAreThoseOfTheModel(t *testing.T) {
	t.Parallel()
	var calls caller
	path := lockPath(t)
	if err := makeLock(path); err != nil {
		t.Fatal(err)
	}
	l := hook(File(path), calls.before)
	mustRelease(t, mustAcquire(t, l))
	got := calls.take()[1:] // without the look at the path when the file was opened
	want := []string{
		"pread", "setlk guard", "pread", "pwrite", "unlock guard", "fdatasync", "lstat",
		"setlk guard", "pread", "pwrite", "unlock guard", "lstat",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls of an acquisition and a release (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(inSpans(model.Calls(model.Uncontended)), modelled(got)); diff != "" {
		t.Errorf("calls of an acquisition and a release (-model +fleetlock):\n%s", diff)
	}
}

// What a hand-over costs who gives the lock and who gets it.
func TestTheCallsOfAHandOverAreThoseOfTheModel(t *testing.T) {
	t.Parallel()
	if !alone(t) { // what happens to other files of its process may wake the heir
		return
	}
	var giver, heir caller
	path := lockPath(t)
	h := mustAcquire(t, hook(File(path), giver.before))
	c := newTestClock()
	w := startWaiter(t, hook(File(path, by(c)), heir.before))
	for _, pause := range []pause{firstPause, parkPause} { // after which it asks to be told
		c.awaitSleepers(t, 1)
		c.advance(time.Duration(pause))
	}
	c.awaitSleepers(t, 1)
	giver.set(trap{})
	heir.set(trap{})
	mustRelease(t, h)
	granted := w.mustBeGranted(t, "a release")
	if diff := cmp.Diff(model.Calls(model.HandOver), modelled(giver.take())); diff != "" {
		t.Errorf("calls of a release that somebody waits for (-model +fleetlock):\n%s", diff)
	}
	mustRelease(t, granted)
	all := model.Calls(model.Contended)
	asleep := slices.Index(all, "setlk W") + 3 // pread, getlk L
	if diff := cmp.Diff(inSpans(all[asleep:]), modelled(heir.take())); diff != "" {
		t.Errorf("calls of a waiter from being told to its release (-model +fleetlock):\n%s", diff)
	}
}

// inSpans leaves out what the model does in calls of their own and fleetlock, while
// nobody is in the way, together with the guard: the bytes of the token and of the bell
// stand beside it. Nobody replaces the file in the model: there is one look at the path.
func inSpans(calls []string) []string {
	beside := []string{"setlk L", "unlock L", "getlk W", "unlock W", "lstat"}
	return slices.DeleteFunc(calls, func(call string) bool { return slices.Contains(beside, call) })
}

// modelled gives calls the names that the model has for them.
func modelled(calls []string) []string {
	names := strings.NewReplacer("guard", "G", "token", "L", "bell", "W")
	var as []string
	for _, call := range calls {
		if call != "lstat" {
			as = append(as, names.Replace(call))
		}
	}
	return as
}
