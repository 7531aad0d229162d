package lawtest

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/scope"
)

// Outage is a database whose server a test may take down and bring back.
type Outage struct {
	DB
	Stop, Start func()
}

// Recovery runs what a gateway must keep while its database goes and comes: a
// peer gets 503 with a constant text, and pages again as soon as the database is
// back, without anybody touching the gateway.
func Recovery(t *testing.T, open func(t *testing.T) Outage) {
	out := open(t)
	w := seedTasksWorld()
	w.load(t, out.DB)
	g := newGateway(t, out.DB)
	g.grant(t, "grant-1", seedSubject, everything(2))
	f, _ := everything(2).filter(w, seedSubject, "tasks")
	want := oracle{world: w}.list(f)
	sameRows(t, "the tasks before any outage", g.walk(t, "grant-1", "tasks", 2), want)
	_, next := g.list("grant-1", "tasks", "").page(t)

	for range 2 {
		out.Stop()
		down := map[string]reply{}
		for _, resource := range resources {
			down[resource] = g.list("grant-1", resource, "")
			down[resource+" again"] = g.list("grant-1", resource, "")
		}
		down["the next tasks"] = g.list("grant-1", "tasks", ask(0, next))
		same(t, down, http.StatusServiceUnavailable, "unavailable")
		g.list("grant-1", "tasks", `{"limit":0}`).refused(t, "a bad limit during the outage", http.StatusBadRequest, "invalid_request")
		g.list("grant-1", "tasks", `{"cursor":"x"}`).refused(t, "a bad cursor during the outage", http.StatusBadRequest, "invalid_request")
		storeIsUnavailable(t, out.DB)

		out.Start()
		recovers(t, g)
		sameRows(t, "the tasks after the outage", g.walk(t, "grant-1", "tasks", 2), want)
		rest, _ := g.list("grant-1", "tasks", ask(0, next)).page(t)
		sameRows(t, "the page behind a cursor from before the outage", rest, want[2:])
	}
}

// recovers waits until the gateway serves pages again by itself.
func recovers(t *testing.T, g gateway) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		r := g.list("grant-1", "tasks", "")
		if r.status == http.StatusOK {
			return
		}
		if r.status != http.StatusServiceUnavailable || time.Now().After(deadline) {
			t.Fatalf("the database is back, and the gateway answers %v", r)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// storeIsUnavailable expects the errors of the store itself to say so.
func storeIsUnavailable(t *testing.T, db DB) {
	t.Helper()
	s := db.store(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := s.ReadAccess(ctx, scope.AccessRequest{Grant: "g", Subject: seedSubject, Resource: "tasks"}); !errors.Is(err, scope.ErrUnavailable) {
		t.Errorf("native access without a database fails with %v, which is no scope.ErrUnavailable", err)
	}
	if _, _, err := s.List(ctx, scope.Filter{Resource: "memory", Subject: seedSubject, Personal: true, Limit: 2}, nil); !errors.Is(err, scope.ErrUnavailable) {
		t.Errorf("a list without a database fails with %v, which is no scope.ErrUnavailable", err)
	}
}
