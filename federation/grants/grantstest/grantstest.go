// Package grantstest holds a store of grants to what package grants asks of it. A host
// with a store of its own runs it in its tests:
//
//	func TestStore(t *testing.T) {
//		grantstest.Run(t, func(t *testing.T) grantstest.Store { return openMyStore(t) })
//	}
package grantstest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation/grants"
)

// A Store is what the suite runs on: everything that the documentation of [grants.Store]
// names.
type Store interface {
	grants.Store
	Find(ctx context.Context, credential string) (grants.Grant, error)
	List(ctx context.Context, after string, limit int) ([]grants.Grant, error)
}

// Run runs the suite. Each call of open gives an empty store.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	for _, trial := range []struct {
		name string
		run  func(t *testing.T, s Store)
	}{
		{"what was stored is found as it was", found},
		{"nothing is found that is not there", notFound},
		{"an ID or a credential that is taken is refused", taken},
		{"only the next revision replaces a grant", nextRevision},
		{"a revoked grant is never replaced", final},
		{"the credential stays", credentialStays},
		{"of two changes from one revision one is stored", race},
		{"of two grants with one credential one is stored", insertRace},
		{"pages are the list, byte by byte", pages},
	} {
		t.Run(trial.name, func(t *testing.T) {
			t.Parallel()
			trial.run(t, open(t))
		})
	}
}

// New returns an active grant with two pins, to store in tests.
func New(id string) grants.Grant {
	at := time.Date(2026, 3, 4, 5, 6, 7, 89_123_000, time.UTC)
	return grants.Grant{
		ID: id, Credential: grants.CredentialOf(id), Peer: "peer-ü", Subject: "user-1",
		Scope:  `{"max_rows_per_query":50,"resources":["notes","tasks"]}`,
		Status: grants.Active, Pins: [2]grants.Pin{pin(1), pin(2).AnyKey()},
		NotBefore: at, Expires: at.Add(1000 * time.Hour), Revision: 1, Created: at, Updated: at,
	}
}

func pin(n byte) grants.Pin { return grants.Pin{Issuer: [32]byte{n}, Key: [32]byte{31: n}} }

// patience bounds each trial's calls.
const patience = 20 * time.Second

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func insert(t *testing.T, s Store, all ...grants.Grant) {
	t.Helper()
	for _, g := range all {
		if err := s.Insert(within(t), g); err != nil {
			t.Fatalf("the grant %q cannot be stored: %v", g.ID, err)
		}
	}
}

// expect fails unless the store has the grant, both ways to it.
func expect(t *testing.T, s Store, want grants.Grant) {
	t.Helper()
	if got, err := s.Get(within(t), want.ID); err != nil || got != want {
		t.Errorf("Get(%q) returns %+v and %v,\nwant %+v", want.ID, got, err, want)
	}
	if got, err := s.Find(within(t), want.Credential); err != nil || got != want {
		t.Errorf("Find(%q) returns %+v and %v,\nwant %+v", want.Credential, got, err, want)
	}
}

func found(t *testing.T, s Store) {
	plain := New("a")
	pending := New("b")
	pending.Status, pending.Pins = grants.Pending, [2]grants.Pin{}
	spiffe := New("c")
	spiffe.Credential = "spiffe://example.test/" + strings.Repeat("x", 2000)
	odd := New(`it's "odd"; $1 ?1 \ -- %`)
	insert(t, s, plain, pending, spiffe, odd)
	for _, g := range []grants.Grant{plain, pending, spiffe, odd} {
		expect(t, s, g)
	}
}

func notFound(t *testing.T, s Store) {
	insert(t, s, New("a"))
	for _, name := range []string{"", "A", "a ", "b", "grant:a "} {
		if got, err := s.Get(within(t), name); !errors.Is(err, grants.ErrNotFound) || got != (grants.Grant{}) {
			t.Errorf("Get(%q) returns %+v and %v, want no grant and ErrNotFound", name, got, err)
		}
		if got, err := s.Find(within(t), name); !errors.Is(err, grants.ErrNotFound) || got != (grants.Grant{}) {
			t.Errorf("Find(%q) returns %+v and %v, want no grant and ErrNotFound", name, got, err)
		}
	}
	if err := s.Replace(within(t), New("b")); !errors.Is(err, grants.ErrNotFound) {
		t.Errorf("replacing a grant that is not there ends in %v, want ErrNotFound", err)
	}
}

func taken(t *testing.T, s Store) {
	first := New("a")
	insert(t, s, first)
	sameID, sameCredential := New("a"), New("b")
	sameID.Credential = "grant:other"
	sameCredential.Credential = first.Credential
	for name, g := range map[string]grants.Grant{"the ID": sameID, "the credential": sameCredential} {
		if err := s.Insert(within(t), g); !errors.Is(err, grants.ErrExists) {
			t.Errorf("a second grant with %s of the first ends in %v, want ErrExists", name, err)
		}
	}
	expect(t, s, first)
}

func nextRevision(t *testing.T, s Store) {
	first := New("a")
	insert(t, s, first, New("b"))
	for _, revision := range []int64{-1, 0, 1, 3} {
		g := first
		g.Revision, g.Status = revision, grants.Expired
		if err := s.Replace(within(t), g); !errors.Is(err, grants.ErrConflict) {
			t.Errorf("revision %d over revision 1 ends in %v, want ErrConflict", revision, err)
		}
	}
	expect(t, s, first)
	second := first
	second.Revision, second.Status, second.Updated = 2, grants.Revoked, first.Updated.Add(time.Microsecond)
	second.Pins = [2]grants.Pin{pin(9)}
	if err := s.Replace(within(t), second); err != nil {
		t.Fatalf("revision 2 over revision 1 ends in %v", err)
	}
	expect(t, s, second)
	expect(t, s, New("b"))
}

func final(t *testing.T, s Store) {
	g := New("a")
	g.Status = grants.Revoked
	insert(t, s, g)
	again := g
	again.Revision, again.Status = 2, grants.Active
	if err := s.Replace(within(t), again); !errors.Is(err, grants.ErrConflict) {
		t.Errorf("an active revision over a revoked one ends in %v, want ErrConflict", err)
	}
	expect(t, s, g)
}

func credentialStays(t *testing.T, s Store) {
	want := New("a")
	insert(t, s, want)
	g := want
	g.Revision, g.Credential = 2, "grant:b"
	if err := s.Replace(within(t), g); err != nil {
		t.Fatal(err)
	}
	want.Revision = 2
	expect(t, s, want)
	if _, err := s.Find(within(t), "grant:b"); !errors.Is(err, grants.ErrNotFound) {
		t.Errorf("a credential that a change brought along is found: %v", err)
	}
}

// All read revision n, and all store revision n+1; one of them may.
func race(t *testing.T, s Store) {
	insert(t, s, New("a"))
	const writers, rounds = 8, 10
	for revision := int64(2); revision < 2+rounds; revision++ {
		won := together(t, writers, func(n int) error {
			g := New("a")
			g.Revision, g.Peer = revision, fmt.Sprint("writer-", n)
			return s.Replace(within(t), g)
		}, grants.ErrConflict)
		if won != 1 {
			t.Fatalf("%d of %d writers stored revision %d", won, writers, revision)
		}
	}
}

func insertRace(t *testing.T, s Store) {
	won := together(t, 8, func(n int) error {
		g := New(fmt.Sprint("racer-", n))
		g.Credential = "spiffe://example.test/one"
		return s.Insert(within(t), g)
	}, grants.ErrExists)
	if won != 1 {
		t.Errorf("%d grants have the same credential", won)
	}
}

// together runs f side by side and returns how many succeeded. The others must fail
// with lost.
func together(t *testing.T, n int, f func(n int) error, lost error) int {
	t.Helper()
	var won atomic.Int64
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			switch err := f(i); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, lost):
				t.Errorf("a racer ends in %v, want success or %v", err, lost)
			}
		})
	}
	all.Wait()
	return int(won.Load())
}

func pages(t *testing.T, s Store) {
	sorted := []string{"-", "0", "A", "B", "_", "a", "a-1", "aa", "b", "é", "日"}
	for i := range sorted {
		insert(t, s, New(sorted[(i*7)%len(sorted)]))
	}
	for limit := 1; limit <= len(sorted)+1; limit++ {
		var got []string
		for after, full := "", true; full; {
			page, err := s.List(within(t), after, limit)
			if err != nil || len(page) > limit {
				t.Fatalf("List(%q, %d) returns %d grants and %v", after, limit, len(page), err)
			}
			for _, g := range page {
				if g != New(g.ID) {
					t.Errorf("List returns %+v, which was stored as %+v", g, New(g.ID))
				}
				got = append(got, g.ID)
				after = g.ID
			}
			full = len(page) == limit
		}
		if strings.Join(got, " ") != strings.Join(sorted, " ") {
			t.Errorf("pages of %d have %q, want %q", limit, got, sorted)
		}
	}
	if page, err := s.List(within(t), "", 0); len(page) != 0 || err != nil {
		t.Errorf("a page of none has %d grants, and the error %v", len(page), err)
	}
}
