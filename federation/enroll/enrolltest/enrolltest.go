// Package enrolltest holds a store of tickets to what package enroll asks of it. A host
// with a store of its own runs it in its tests:
//
//	func TestTickets(t *testing.T) {
//		enrolltest.Run(t, func(t *testing.T) enroll.Tickets { return openMyTickets(t) })
//	}
package enrolltest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation/enroll"
)

// Run runs the suite. Each call of open gives an empty store, in which tickets for the
// grant "g" may be stored.
func Run(t *testing.T, open func(t *testing.T) enroll.Tickets) {
	t.Helper()
	for _, trial := range []struct {
		name string
		run  func(t *testing.T, s enroll.Tickets)
	}{
		{"what was stored is found as it was", found},
		{"nothing is found that is not there", notFound},
		{"a ticket is used once", once},
		{"a ticket is not used when it has expired", expired},
		{"of many uses at once one wins", race},
	} {
		t.Run(trial.name, func(t *testing.T) {
			t.Parallel()
			trial.run(t, open(t))
		})
	}
}

var created = time.Date(2026, 3, 4, 5, 6, 7, 89_123_000, time.UTC)

// newTicket returns a ticket that is good for a quarter of an hour.
func newTicket(id string) enroll.Ticket {
	return enroll.Ticket{ID: id, Hash: [32]byte{1, 31: 0xff}, Grant: "g", Created: created, Expires: created.Add(15 * time.Minute)}
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func insert(t *testing.T, s enroll.Tickets, all ...enroll.Ticket) {
	t.Helper()
	for _, ticket := range all {
		if err := s.Insert(within(t), ticket); err != nil {
			t.Fatalf("the ticket %q cannot be stored: %v", ticket.ID, err)
		}
	}
}

func expect(t *testing.T, s enroll.Tickets, want enroll.Ticket) {
	t.Helper()
	if got, err := s.Get(within(t), want.ID); err != nil || got != want {
		t.Errorf("Get(%q) returns %+v and %v,\nwant %+v", want.ID, got, err, want)
	}
}

func found(t *testing.T, s enroll.Tickets) {
	insert(t, s, newTicket("a"), newTicket("b_-"))
	expect(t, s, newTicket("a"))
	expect(t, s, newTicket("b_-"))
	if err := s.Insert(within(t), newTicket("a")); err == nil {
		t.Error("a second ticket of one ID is stored")
	}
	expect(t, s, newTicket("a"))
}

func notFound(t *testing.T, s enroll.Tickets) {
	insert(t, s, newTicket("a"))
	for _, id := range []string{"", "A", "b"} {
		if got, err := s.Get(within(t), id); !errors.Is(err, enroll.ErrUnknown) || got != (enroll.Ticket{}) {
			t.Errorf("Get(%q) returns %+v and %v, want ErrUnknown", id, got, err)
		}
		if err := s.Use(within(t), id, created); !errors.Is(err, enroll.ErrUnknown) {
			t.Errorf("Use(%q) ends in %v, want ErrUnknown", id, err)
		}
	}
	expect(t, s, newTicket("a"))
}

func once(t *testing.T, s enroll.Tickets) {
	insert(t, s, newTicket("a"), newTicket("b"))
	at := created.Add(time.Second + time.Microsecond)
	if err := s.Use(within(t), "a", at); err != nil {
		t.Fatalf("the first use ends in %v", err)
	}
	used := newTicket("a")
	used.Used = at
	expect(t, s, used)
	for _, again := range []time.Time{at, at.Add(time.Second), created} {
		if err := s.Use(within(t), "a", again); !errors.Is(err, enroll.ErrGone) {
			t.Errorf("a second use ends in %v, want ErrGone", err)
		}
	}
	expect(t, s, used)
	expect(t, s, newTicket("b"))
}

func expired(t *testing.T, s enroll.Tickets) {
	insert(t, s, newTicket("a"), newTicket("b"))
	for _, at := range []time.Time{newTicket("a").Expires, newTicket("a").Expires.Add(time.Hour)} {
		if err := s.Use(within(t), "a", at); !errors.Is(err, enroll.ErrGone) {
			t.Errorf("a use %s after the expiry ends in %v, want ErrGone", at.Sub(newTicket("a").Expires), err)
		}
	}
	expect(t, s, newTicket("a"))
	if err := s.Use(within(t), "b", newTicket("b").Expires.Add(-time.Microsecond)); err != nil {
		t.Errorf("a use at the last moment ends in %v", err)
	}
}

func race(t *testing.T, s enroll.Tickets) {
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		insert(t, s, newTicket(id))
		var won atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				switch err := s.Use(within(t), id, created); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, enroll.ErrGone):
					t.Errorf("a use beside others ends in %v, want success or ErrGone", err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of 8 uses of one ticket won", won.Load())
		}
	}
}
