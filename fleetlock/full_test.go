package fleetlock_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/fleetlocktest"
)

// A narrow register refuses a text that is longer than any has to take, and notes how many
// stood in line at most.
type narrow struct {
	fleetlocktest.Memory
	most atomic.Int64
}

func (n *narrow) Swap(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
	if len(next.Text) >= 64<<10 {
		return 0, fmt.Errorf("a text of %d bytes", len(next.Text))
	}
	n.most.Store(max(n.most.Load(), int64(strings.Count(next.Text, `"id"`)))) // nobody else swaps
	return n.Memory.Swap(ctx, name, seen, next)
}

// fill has every slot held by a ticket, which takes more room than a holder does, with the
// longest label.
func fill(t *testing.T, lock *fleetlock.Lock) (tickets []fleetlock.Ticket) {
	t.Helper()
	for i := range fleetlock.MaxSlots {
		h, err := lock.TryAcquire(t.Context())
		if err != nil {
			t.Fatalf("with %d holders: %v", i, err)
		}
		ticket, err := h.Detach(time.Hour)
		if err != nil {
			t.Fatalf("with %d holders: %v", i, err)
		}
		tickets = append(tickets, ticket)
	}
	return tickets
}

// line makes a line of so many who wait for hours, or none.
func line(t *testing.T, register fleetlock.Register, name string, n int) {
	t.Helper()
	got, err := register.Load(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	var spots []string
	for i := range n {
		id := fmt.Sprintf("%016d", i)
		spots = append(spots, fmt.Sprintf(`{"id":%q,"host":"there","pid":%d,"lease_ns":3600000000000}`, id, i))
		got.Terms = append(got.Terms, fleetlock.Term{ID: "w" + id, Length: time.Hour})
	}
	rest, _, _ := strings.Cut(strings.TrimSuffix(got.Text, "}"), `,"line"`)
	if n > 0 {
		rest += `,"line":[` + strings.Join(spots, ",") + "]"
	}
	got.Text = rest + "}"
	if _, err := register.Swap(t.Context(), name, got.Version, got); err != nil {
		t.Fatal(err)
	}
}

func TestEverySlotCanBeHeldAndWhoHasNoRoomInTheLineWaitsAllTheSame(t *testing.T) {
	t.Parallel()
	register := new(narrow)
	lock := fleetlock.On(register, "a", fleetlock.Lease(time.Hour), fleetlock.Slots(fleetlock.MaxSlots), fleetlock.Label(strings.Repeat(`"`, 128)))
	tickets := fill(t, lock)
	info, err := lock.Inspect(t.Context())
	if err != nil || len(info.Holders) != fleetlock.MaxSlots {
		t.Fatalf("%d holders are named, %v", len(info.Holders), err)
	}
	const waiters = 60 // as many as have room
	line(t, register, "a", waiters)

	soon, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := lock.Acquire(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who has no room in the line is told %v", err)
	}
	if n := register.most.Load(); n != waiters {
		t.Errorf("%d have stood in the line, not the %d that have room", n, waiters)
	}
	line(t, register, "a", 0)
	h, err := lock.Resume(t.Context(), tickets[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Release(); err != nil {
		t.Error(err)
	}
}
