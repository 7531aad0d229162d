package listquery

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// partition copies the table things into one that is partitioned by its order: at the
// given times, each of which begins a partition, and with a last one for all else if
// there is to be one.
func partition(t *testing.T, db *sql.DB, name string, rest bool, bounds ...time.Time) {
	t.Helper()
	execute(t, db, fmt.Sprintf("CREATE TABLE %s (LIKE things) PARTITION BY RANGE (at); ALTER TABLE %[1]s ADD PRIMARY KEY (id, at)", name))
	for i, from := range bounds[:len(bounds)-1] {
		execute(t, db, fmt.Sprintf("CREATE TABLE %s_%d PARTITION OF %[1]s FOR VALUES FROM ('%[3]s') TO ('%[4]s') WITH (autovacuum_enabled = off)",
			name, i, from.Format(time.RFC3339Nano), bounds[i+1].Format(time.RFC3339Nano)))
	}
	if rest {
		execute(t, db, fmt.Sprintf("CREATE TABLE %s_rest PARTITION OF %[1]s DEFAULT WITH (autovacuum_enabled = off)", name))
	}
	execute(t, db, fmt.Sprintf("INSERT INTO %s SELECT * FROM things", name))
}

func createIndexes(t *testing.T, db *sql.DB, r AnyResource) {
	t.Helper()
	for _, statement := range Indexes(Postgres, r) {
		execute(t, db, statement)
	}
}

// The things of the world have 60 times in a row, a microsecond apart.
func microseconds(n ...int) []time.Time {
	times := make([]time.Time, len(n))
	for i, n := range n {
		times[i] = time.Date(2026, 1, 1, 0, 0, 0, n*1000, time.UTC)
	}
	return times
}

func TestPagesOfAPartitionedTableAreThoseOfAPlainOne(t *testing.T) {
	t.Parallel()
	w := newThingWorld(t)
	partition(t, w.db, "parted", false, microseconds(0, 1, 20, 21, 45, 70)...)
	partition(t, w.db, "parted_and_rest", true, microseconds(10, 11, 40)...)
	for what, visible := range thingVisibilities() {
		for name, way := range ways {
			t.Run(what+" "+name, func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(uint64(len(what)), uint64(len(name))))
				for _, table := range []string{"parted", "parted_and_rest"} {
					d := thingDefinition(visible)
					d.Ascending = r.IntN(2) > 0
					plain := tuned(t, way, d)
					d.Table = table
					parted := tuned(t, way, d)
					s := storeWith(t, w.db, Config{Prepared: true}, parted)
					f := w.filter(r)
					f.Limit = 5 + r.IntN(60)
					want := reference(t, w.db, plain, f)
					if diff := cmp.Diff(numbers(want), walked(t, s, parted, f)); diff != "" {
						t.Fatalf("pages of %+v in the table %s, ascending %v, differ from those of a plain table (-want +got):\n%s", f, table, d.Ascending, diff)
					}
					sameGets(t, w.db, s, f, want)
				}
			})
		}
	}
}

// sameGets gets some rows one by one, those that stand in the list and others.
func sameGets(t *testing.T, db *sql.DB, s *Store, f scope.Filter, list []thing) {
	t.Helper()
	shown := make(map[string]int64)
	for _, row := range list {
		shown[row.ID.String()] = row.N
	}
	rows, err := db.Query("SELECT id FROM things WHERE n % 40 = $1", len(list)%40)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		var got thing
		text, ok, err := s.Get(t.Context(), f, id)
		if ok && err == nil {
			err = json.Unmarshal(text, &got)
		}
		if n, want := shown[id]; err != nil || ok != want || got.N != n {
			t.Errorf("thing %s of %+v is got as %s, %v, %v; it stands in the list: %v", id, f, text, ok, err, want)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// A page meets the rows in a partitioned table that it meets in a plain one, and hardly any
// other: by some plans the first row of each partition. To find that a partition has none
// costs a look into its index: once for each partition on the way to the position, where
// the order is walked, and for each value, where the newest rows of values are merged.
// Partitions have no statistics here: with them the planner reads some of so few rows whole.
func TestAPageOfAPartitionedTableTouchesWhatItNeeds(t *testing.T) {
	t.Parallel()
	const parts = 12
	db := crowd(t)
	var bounds []time.Time
	for i := range parts + 1 {
		bounds = append(bounds, time.Date(2026, 1, 1, 0, 0, 1-(parts-i)*crowdRows/7/(parts-1), 0, time.UTC))
	}
	partition(t, db, "parted", false, bounds...)
	d := thingDefinition(thingVisibilities()["the project or the mission's project"])
	plain := tuned(t, standardTuning, d)
	d.Table = "parted"
	parted := tuned(t, standardTuning, d)
	createIndexes(t, db, plain)
	createIndexes(t, db, parted)
	gate := newTollgate(t, db)
	ofPlain, ofParted := storeWith(t, db, Config{}, plain), storeWith(t, db, Config{}, parted)
	for _, what := range []string{"in no team", "20 teams", "all", "20 whose rows are old"} {
		grant := crowdGrants[what]
		f := scope.Filter{Resource: "things", Subject: grant.subject, Personal: true, Teams: grant.crew.teams(t, db), Limit: 50}
		for _, from := range []int{0, crowdRows / 2, crowdRows - 100} {
			after := behindRows(from)
			samePage(t, ofPlain, ofParted, f, after)
			for _, way := range []way{looks, walks, merges} {
				want, got := gate.of(t, plain, ofPlain, f, after, way), gate.of(t, parted, ofParted, f, after, way)
				if got.rows > want.rows*5/4+50 || got.blocks > parts*want.blocks {
					t.Errorf("%s: behind %d rows, way %d, a page of a partitioned table takes %+v, one of a plain table %+v", what, from, way, got, want)
				}
				if what == "all" && way != merges && got.blocks > want.blocks+3*parts {
					t.Errorf("%s: behind %d rows, way %d, a walk takes %+v, in a plain table %+v: more than a look into each of %d partitions", what, from, way, got, want, parts)
				}
			}
		}
	}
}

// samePage reads a page of two stores, and what follows it.
func samePage(t *testing.T, plain, parted *Store, f scope.Filter, after cursor.Position) {
	t.Helper()
	want, next, err := plain.List(t.Context(), f, after)
	if err != nil {
		t.Fatal(err)
	}
	got, position, err := parted.List(t.Context(), f, after)
	if diff := cmp.Diff(want, got); err != nil || diff != "" || !slices.Equal(next, position) {
		t.Errorf("a page of a partitioned table is followed by %v and not by %v, %v, and differs (-want +got):\n%s", position, next, err, diff)
	}
}
