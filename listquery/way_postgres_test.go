package listquery

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// The rows of a page are those of one statement, as values and as JSON: what a known way
// has found in vain is thrown away, and the way forgotten.
func TestAPageWhoseKnownWayLeadsNowhereIsReadAnew(t *testing.T) {
	t.Parallel()
	w := newThingWorld(t)
	things := tuned(t, tuning{few: never, walk: 7, hashWalk: 7, depth: 3}, thingDefinition(thingVisibilities()["the owner or the team"]))
	s := storeWith(t, w.db, Config{Prepared: true}, things)
	f := scope.Filter{Resource: "things", Subject: "user-0", Personal: true, Teams: w.teams, Limit: 20}
	want, err := things.List(t.Context(), s, f, nil)
	if err != nil || len(want.Items) != f.Limit {
		t.Fatalf("the page has %d rows, %v", len(want.Items), err)
	}
	wantJSON, _, err := s.List(t.Context(), f, nil)
	if err != nil {
		t.Fatal(err)
	}
	key := s.learned.key(f)
	for _, known := range []way{walks, hashes} {
		s.learned.learn(key, looks, known)
		got, err := things.List(t.Context(), s, f, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(cursor.Value{})); diff != "" {
			t.Errorf("a page after the way %d in vain differs (-want +got):\n%s", known, diff)
		}
		if way := s.learned.wayOf(key); way != merges {
			t.Errorf("after the way %d in vain the filter's is %d, want the one that was found by looking around", known, way)
		}
		s.learned.learn(key, looks, known)
		gotJSON, _, err := s.List(t.Context(), f, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wantJSON, gotJSON); diff != "" {
			t.Errorf("a page as JSON after the way %d in vain differs (-want +got):\n%s", known, diff)
		}
	}
}

// Where a list ends, a walk cannot know that it has come to its end, and must not be
// taken again: the next page of the filter would be read twice.
func TestTheEndOfAListSaysNothingOfAWalk(t *testing.T) {
	t.Parallel()
	w := newThingWorld(t)
	walk := tuning{few: 0, walk: never / 1000, hashMin: never, hashMax: never, hashWalk: 1, depth: 3}
	things := tuned(t, walk, thingDefinition(thingVisibilities()["the owner or the team"]))
	s := storeWith(t, w.db, Config{}, things)
	f := scope.Filter{Resource: "things", Subject: "user-0", Personal: true, Teams: w.teams, Limit: 1000}
	for _, known := range []way{looks, walks} {
		s.learned.learn(s.learned.key(f), looks, known)
		page, err := things.List(t.Context(), s, f, nil)
		if err != nil || page.Next != nil {
			t.Fatalf("the list goes on behind %d rows, %v", len(page.Items), err)
		}
		if way := s.learned.wayOf(s.learned.key(f)); way != looks {
			t.Errorf("after the only page of a list, meant for the way %d, its filter goes the way %d; want to look around", known, way)
		}
	}
	f.Limit = 10
	if _, err := things.List(t.Context(), s, f, nil); err != nil {
		t.Fatal(err)
	}
	if way := s.learned.wayOf(s.learned.key(f)); way != walks {
		t.Errorf("after a full page that was walked the filter goes the way %d, want %d", way, walks)
	}
}

func TestAFilterGoesTheWayThatIsCheapForIt(t *testing.T) {
	t.Parallel()
	db := estate(t, 60_000)
	resources, err := Standard(Schema{})
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range Indexes(Postgres) {
		execute(t, db, statement)
	}
	execute(t, db, "VACUUM ANALYZE tasks")
	for what, test := range map[string]struct {
		resource, teams int // indexes
		want            way
		most            int64 // blocks
	}{
		"tasks of ten projects":     {0, 0, merges, 800},
		"tasks of 140 projects":     {0, 13, hashes, 2000},
		"tasks of all teams":        {0, 199, walks, 400},
		"notes of few missions":     {1, 2, merges, 1800},
		"notes of one row in eight": {1, 20, hashes, 2600},
		"notes of all teams":        {1, 199, walks, 700},
	} {
		r := resources[test.resource]
		f := scope.Filter{Resource: r.Name(), Subject: "user-1", Personal: true, Teams: teamIDs(t, db, test.teams), Limit: 50}
		s := storeWith(t, db, Config{}, r)
		if _, _, err := s.List(t.Context(), f, nil); err != nil {
			t.Fatal(err)
		}
		way := s.learned.wayOf(s.learned.key(f))
		if way != test.want {
			t.Errorf("%s go the way %d, want %d", what, way, test.want)
		}
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		st, args, err := r.definition().prepare(request{t.Context(), s, f, nil}, way)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := explainedGeneric(t, tx, st.sql, args); got > test.most {
			t.Errorf("%s touch %d blocks by their way, at most %d are their due", what, got, test.most)
		}
		tx.Rollback()
	}
}

// Values that one hash table alone needs go into it as they are found. To make a list of
// them first took an eighth of a page.
func TestWhatOneHashTableNeedsIsNoListBefore(t *testing.T) {
	t.Parallel()
	db := estate(t, 1000)
	notes, err := Notes(Schema{})
	if err != nil {
		t.Fatal(err)
	}
	f := scope.Filter{Resource: "notes", Subject: "user-1", Personal: true, Teams: teamIDs(t, db, 20), Limit: 50}
	s := storeWith(t, db, Config{}, notes)
	st, args, err := notes.definition().prepare(request{t.Context(), s, f, nil}, hashes)
	if err != nil {
		t.Fatal(err)
	}
	var plan string
	rows, err := db.QueryContext(t.Context(), "EXPLAIN "+st.sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan += line + "\n"
	}
	if err := rows.Err(); err != nil || !strings.Contains(plan, "hashed SubPlan") || strings.Contains(plan, "listed-set") {
		t.Errorf("the plan (%v):\n%s", err, plan)
	}
}
