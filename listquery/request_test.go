package listquery

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// noDatabase fails every statement: tests use it to prove that none was run.
type noDatabase struct{}

var errNoDatabase = errors.New("a statement was run")

func (noDatabase) QueryContext(context.Context, string, ...any) (*sql.Rows, error) {
	return nil, errNoDatabase
}

func standardStore(t testing.TB) *Store {
	t.Helper()
	resources, err := Standard(Schema{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewStore(noDatabase{}, Config{Dialect: Postgres, Resources: resources})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAFilterThatShowsNothingAsksNothing(t *testing.T) {
	s := standardStore(t)
	for _, f := range []scope.Filter{
		{Resource: "tasks"},
		{Resource: "tasks", Subject: "user-1"},
		{Resource: "tasks", Subject: "user-1", Limit: 10},
		{Resource: "tasks", Personal: true, Limit: 10},
		{Resource: "memory", Subject: "user-1", Teams: []string{"05000000-0000-4000-8000-000000000001"}, Limit: 10},
	} {
		items, next, err := s.List(t.Context(), f, nil)
		if len(items) != 0 || next != nil || err != nil {
			t.Errorf("List(%+v) = %s, %v, %v, want an empty page", f, items, next, err)
		}
	}
}

func TestARequestThatMakesNoSenseIsRefusedBeforeAnyStatement(t *testing.T) {
	s := standardStore(t)
	sound := scope.Filter{Resource: "tasks", Subject: "user-1", Personal: true, Limit: 10}
	at := cursor.TimeValue(time.Unix(0, 0))
	id := cursor.UUIDValue(cursor.UUID{})
	tests := map[string]struct {
		change func(*scope.Filter)
		after  cursor.Position
		want   error
	}{
		"an unknown resource":        {change: func(f *scope.Filter) { f.Resource = "credentials" }, want: ErrUnknownResource},
		"no limit":                   {change: func(f *scope.Filter) { f.Limit = 0 }, want: ErrLimit},
		"a negative limit":           {change: func(f *scope.Filter) { f.Limit = -1 }, want: ErrLimit},
		"a limit beyond the largest": {change: func(f *scope.Filter) { f.Limit = MaxLimit + 1 }, want: ErrLimit},
		"an empty position":          {after: cursor.Position{}, want: ErrPosition},
		"half a position":            {after: cursor.Position{at}, want: ErrPosition},
		"a position turned round":    {after: cursor.Position{id, at}, want: ErrPosition},
		"a position with nulls":      {after: cursor.Position{cursor.NullValue(), id}, want: ErrPosition},
		"a position in memory":       {after: cursor.Position{cursor.EnumValue(0), at, id}, want: ErrPosition},
		"a position in no block": {
			change: func(f *scope.Filter) { f.Resource = "memory" },
			after:  cursor.Position{cursor.EnumValue(2), at, id}, want: ErrPosition,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := sound
			if test.change != nil {
				test.change(&f)
			}
			_, _, err := s.List(t.Context(), f, test.after)
			if !errors.Is(err, test.want) {
				t.Errorf("List with %s: %v, want %v", name, err, test.want)
			}
		})
	}
}

func TestNativeAccessKnowsOnlyWhatTheStoreLists(t *testing.T) {
	s := standardStore(t)
	for _, resource := range []string{"credentials", "api_keys", "users", ""} {
		access, err := s.ReadAccess(t.Context(), scope.AccessRequest{Subject: "user-1", Resource: resource})
		if access.Allowed || err != nil {
			t.Errorf("ReadAccess(%q) = %+v, %v, want a denial", resource, access, err)
		}
	}
}

func TestMemoryNeedsNoTeamLookup(t *testing.T) {
	access, err := standardStore(t).ReadAccess(t.Context(), scope.AccessRequest{Subject: "user-1", Resource: "memory"})
	if err != nil || !access.Allowed || !access.Personal || len(access.Teams) != 0 {
		t.Errorf("ReadAccess(memory) = %+v, %v, want personal rows without asking", access, err)
	}
}

func TestAFailedTeamLookupIsNoAccess(t *testing.T) {
	access, err := standardStore(t).ReadAccess(t.Context(), scope.AccessRequest{Subject: "user-1", Resource: "tasks"})
	if !errors.Is(err, errNoDatabase) || access.Allowed || access.Personal {
		t.Errorf("ReadAccess = %+v, %v, want the error and the zero access", access, err)
	}
}

func TestATypedListRefusesTheStoreOfAnotherResource(t *testing.T) {
	other, err := Tasks(Schema{}.In("elsewhere"))
	if err != nil {
		t.Fatal(err)
	}
	f := scope.Filter{Resource: "tasks", Subject: "user-1", Personal: true, Limit: 10}
	if _, err := other.List(t.Context(), standardStore(t), f, nil); !errors.Is(err, ErrUnknownResource) {
		t.Errorf("List of a resource that the store was not made with: %v, want %v", err, ErrUnknownResource)
	}
}

func BenchmarkStatement(b *testing.B) {
	s := standardStore(b)
	f := scope.Filter{
		Resource: "tasks", Subject: "user-1", Personal: true, Limit: 50,
		Teams: []string{"05000000-0000-4000-8000-000000000001"},
	}
	after := cursor.Position{cursor.TimeValue(time.Unix(1782000000, 0)), cursor.UUIDValue(cursor.UUID{1})}
	plan := s.resources["tasks"].definition()
	req := request{b.Context(), s, f, after}

	b.Run("fedkit", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := plan.prepare(req, looks); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("squirrel per request", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			query, err := plan.adaptiveQuery(shape{true, true, Postgres}, 0, true, looks)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := newStatement(Postgres, query); err != nil {
				b.Fatal(err)
			}
		}
	})
}
