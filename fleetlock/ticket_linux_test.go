package fleetlock

import (
	"errors"
	"os"
	"reflect"
	"testing"
	"time"
)

func TestATicketCarriesTheLockFromAProcessToTheNext(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	p := startProcess(t, lockSpec{Path: path, Label: "the restarter"})
	token := p.must(request{Do: "acquire"}).Token
	ticket := p.must(request{Do: "detach", TTL: time.Hour}).Ticket
	for name, err := range map[string]error{
		"Err": p.do(request{Do: "ask"}).err(), "the context": p.do(request{Do: "hear"}).err(),
	} {
		if !errors.Is(err, ErrReleased) {
			t.Errorf("after a detach the holder is told %v by %s", err, name)
		}
	}
	p.must(request{Do: "release"}) // does nothing any more
	p.kill()
	holder := mustBeBusy(t, File(path))
	if !holder.Detached || holder.Token != token || holder.Label != "the restarter" || holder.Until.IsZero() {
		t.Errorf("a lock with a ticket is held by %+v", holder)
	}
	if info, err := File(path).Inspect(t.Context()); err != nil || info.State != StateDetached {
		t.Errorf("a lock with a ticket is %v, %v", info.State, err)
	}
	next := waitFor(t, File(path))
	h, err := File(path, Label("the restarted")).Resume(t.Context(), ticket)
	if err != nil {
		t.Fatalf("the ticket is refused: %v", err)
	}
	if h.Token() <= token {
		t.Errorf("token %d follows token %d", h.Token(), token)
	}
	next.mustStillWait(t, "the ticket's next holder held the lock")
	mustRise(t, token, h)
	mustRise(t, h.Token(), next.mustBeGranted(t, "a release"))
}

func TestATicketIsGoodOnceForItsLockInItsTime(t *testing.T) {
	t.Parallel()
	detach := func(t *testing.T, path string, c clock) Ticket {
		t.Helper()
		ticket, err := mustAcquire(t, File(path, by(c))).Detach(time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return ticket
	}
	for _, tt := range []struct {
		name string
		use  func(t *testing.T, path string, ticket Ticket, c *testClock) Ticket
		want error
	}{
		{"resumed twice", func(t *testing.T, path string, ticket Ticket, c *testClock) Ticket {
			if _, err := File(path, by(c)).Resume(t.Context(), ticket); err != nil {
				t.Fatal(err)
			}
			return ticket
		}, ErrLost},
		{"resumed and released", func(t *testing.T, path string, ticket Ticket, c *testClock) Ticket {
			h, err := File(path, by(c)).Resume(t.Context(), ticket)
			if err != nil {
				t.Fatal(err)
			}
			mustRelease(t, h)
			return ticket
		}, ErrLost},
		{"resumed and detached anew", func(t *testing.T, path string, ticket Ticket, c *testClock) Ticket {
			h, err := File(path, by(c)).Resume(t.Context(), ticket)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.Detach(time.Minute); err != nil {
				t.Fatal(err)
			}
			return ticket
		}, ErrLost},
		{"expired", func(t *testing.T, path string, ticket Ticket, c *testClock) Ticket {
			c.advance(time.Minute)
			return ticket
		}, ErrLost},
		{"expired and taken over", func(t *testing.T, path string, ticket Ticket, c *testClock) Ticket {
			c.advance(time.Minute)
			mustAcquire(t, File(path, by(c)))
			return ticket
		}, ErrLost},
		{"broken", func(t *testing.T, path string, ticket Ticket, c *testClock) Ticket {
			token, _, err := ticket.parse()
			if err == nil {
				err = File(path, by(c)).Break(t.Context(), token, "the test says so")
			}
			if err != nil {
				t.Fatal(err)
			}
			return ticket
		}, ErrLost},
		{"another secret", func(t *testing.T, path string, ticket Ticket, c *testClock) Ticket {
			token, _, err := ticket.parse()
			if err != nil {
				t.Fatal(err)
			}
			return newTicket(token, make([]byte, secretSize))
		}, ErrLost},
		{"another token", func(t *testing.T, path string, ticket Ticket, c *testClock) Ticket {
			token, secret, err := ticket.parse()
			if err != nil {
				t.Fatal(err)
			}
			return newTicket(token+1, secret)
		}, ErrLost},
		{"another lock's", func(t *testing.T, path string, ticket Ticket, c *testClock) Ticket {
			return detach(t, lockPath(t), c)
		}, ErrLost},
		{"empty", func(t *testing.T, path string, ticket Ticket, c *testClock) Ticket { return "" }, ErrTicket},
		{"cut", func(t *testing.T, path string, ticket Ticket, c *testClock) Ticket { return ticket[:len(ticket)-1] }, ErrTicket},
		{"longer", func(t *testing.T, path string, ticket Ticket, c *testClock) Ticket { return ticket + "A" }, ErrTicket},
		{"with a line end", func(t *testing.T, path string, ticket Ticket, c *testClock) Ticket { return ticket + "\n" }, ErrTicket},
		{"of another version", func(t *testing.T, path string, ticket Ticket, c *testClock) Ticket {
			return "fleetlock9" + ticket[len("fleetlock1"):]
		}, ErrTicket},
		{"without its prefix", func(t *testing.T, path string, ticket Ticket, c *testClock) Ticket {
			return ticket[len(ticketPrefix):]
		}, ErrTicket},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, path := newTestClock(), lockPath(t)
			ticket := tt.use(t, path, detach(t, path, c), c)
			before, beforeErr := File(path, by(c)).Inspect(t.Context())
			h, err := File(path, by(c)).Resume(t.Context(), ticket)
			if !errors.Is(err, tt.want) {
				t.Errorf("a ticket that is %s is answered with %v, %v", tt.name, h, err)
			}
			after, afterErr := File(path, by(c)).Inspect(t.Context())
			if beforeErr != nil || afterErr != nil || !reflect.DeepEqual(after, before) {
				t.Errorf("a ticket that is %s changed the lock from %+v to %+v", tt.name, before, after)
			}
		})
	}
}

// Who waits and is told something inherits from a holder that has gone, without asking
// who lives: but a ticket needs no process that lives.
func TestAWaiterThatIsToldDoesNotInheritFromATicket(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	ticket, err := mustAcquire(t, File(path, NoSync())).Detach(time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	w := waitFor(t, File(path, NoSync()))
	time.Sleep(100 * time.Millisecond) // for it to be told
	for range 3 {
		if err := os.Chtimes(path, time.Now(), time.Now()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
		w.mustStillWait(t, "a ticket has the lock")
	}
	h, err := File(path, NoSync()).Resume(t.Context(), ticket)
	if err != nil {
		t.Fatalf("a ticket that somebody waits for is not resumed: %v", err)
	}
	mustRelease(t, h)
	mustRelease(t, w.mustBeGranted(t, "the release of what was resumed"))
}

// Many processes have the ticket, by mistake: one gets the lock.
func TestOfManyThatResumeATicketOneDoes(t *testing.T) {
	t.Parallel()
	for range rounds(5, 200) {
		path := lockPath(t)
		ticket, err := mustAcquire(t, File(path)).Detach(time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		crowd := make([]*process, 4)
		for i := range crowd {
			crowd[i] = startProcess(t, lockSpec{Path: path})
		}
		for _, p := range crowd {
			p.send(request{Do: "resume", Ticket: ticket})
		}
		granted := 0
		for _, p := range crowd {
			answer, err := p.receive()
			switch {
			case err != nil:
				t.Fatal(err)
			case answer.err() == nil:
				granted++
			case !errors.Is(answer.err(), ErrLost) && !errors.As(answer.err(), new(*BusyError)): // the other one stood still on its way
				t.Errorf("a ticket that another has used is answered with %v", answer.err())
			}
		}
		if granted != 1 {
			t.Errorf("%d processes have resumed one ticket", granted)
		}
		for _, p := range crowd {
			p.kill()
		}
	}
}

func TestATicketNeedsTime(t *testing.T) {
	t.Parallel()
	h := mustAcquire(t, File(lockPath(t)))
	for _, ttl := range []time.Duration{0, -1, -time.Hour, maxLease + 1} {
		if ticket, err := h.Detach(ttl); err == nil {
			t.Errorf("a ticket for %v is given: %s", ttl, ticket)
		}
	}
	if err := h.Err(); err != nil {
		t.Errorf("a holder that could not detach has lost the lock: %v", err)
	}
	mustRelease(t, h)
	if _, err := h.Detach(time.Hour); !errors.Is(err, ErrReleased) {
		t.Errorf("what was released is detached with %v", err)
	}
}

// What is as long as it may be is not over at once; what is longer is refused.
func TestTheLongestLeaseAndTicketLast(t *testing.T) {
	t.Parallel()
	const forEver = time.Duration(1<<63 - 1)
	path := lockPath(t)
	if _, err := File(path, Lease(forEver)).TryAcquire(t.Context()); err == nil {
		t.Error("a lease for ever is granted")
	}
	h := mustAcquire(t, File(path, Lease(maxLease)))
	mustBeBusy(t, File(path))
	if err := h.Err(); err != nil {
		t.Errorf("the longest lease is over: %v", err)
	}
	if _, err := h.Detach(forEver); err == nil {
		t.Error("a ticket for ever is given")
	}
	ticket, err := h.Detach(maxLease)
	if err != nil {
		t.Fatal(err)
	}
	mustBeBusy(t, File(path))
	h, err = File(path).Resume(t.Context(), ticket)
	if err != nil {
		t.Fatalf("the longest ticket is over: %v", err)
	}
	mustRelease(t, h)
}
