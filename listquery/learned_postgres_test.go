package listquery

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// A page that is read by the way of the page before has the rows of the plain statement,
// whether that way is still a good one or leads nowhere.
func TestEveryKnownWayGivesTheRowsOfThePlainStatement(t *testing.T) {
	t.Parallel()
	w := newThingWorld(t)
	bounds := map[string]tuning{
		"as it likes":         standardTuning,
		"a few rows far":      {walk: 7, hashWalk: 7, depth: 1},
		"to the end at most":  {walk: never / 1000, hashWalk: never / 1000, depth: 3},
		"with shallow heads":  {walk: 1, hashWalk: 1, depth: 0},
		"with all rows ahead": {walk: 400, hashWalk: 400, depth: never / 10_000},
	}
	for what, visible := range thingVisibilities() {
		for name, bound := range bounds {
			t.Run(what+" "+name, func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(uint64(len(what)), uint64(len(name))))
				things := tuned(t, bound, thingDefinition(visible))
				s := storeWith(t, w.db, Config{Prepared: true}, things)
				for _, known := range [...]way{walks, hashes, merges} {
					f := w.filter(r)
					f.Limit = 5 + r.IntN(60)
					want := numbers(reference(t, w.db, things, f))
					if diff := cmp.Diff(want, walkedBy(t, s, things, f, known)); diff != "" {
						t.Fatalf("pages of %+v, known for the way %d, differ from the plain statement (-want +got):\n%s", f, known, diff)
					}
				}
			})
		}
	}
}

// walkedBy is what all pages list if each goes the way that is known.
func walkedBy(t *testing.T, s *Store, r *Resource[thing], f scope.Filter, known way) []int64 {
	t.Helper()
	var all []int64
	var after cursor.Position
	for {
		s.learned.learn(s.learned.key(f), looks, known)
		page, err := r.List(t.Context(), s, f, after)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, numbers(page.Items)...)
		if after = page.Next; after == nil {
			return all
		}
		if len(page.Items) != f.Limit || len(all) > 1000 {
			t.Fatalf("a page of %+v has %d rows after %d and is not the last", f, len(page.Items), len(all))
		}
	}
}

// The statement that looks around is prepared for the first page, the one that does not
// for the second, and that is all.
func TestTheSecondPageOfAFilterGoesTheWayOfTheFirst(t *testing.T) {
	t.Parallel()
	w := newThingWorld(t)
	things := tuned(t, standardTuning, thingDefinition(thingVisibilities()["the owner or the team"]))
	counted := &preparations{DB: w.db, count: make(map[string]int)}
	s := storeWith(t, counted, Config{Prepared: true}, things)
	f := scope.Filter{Resource: "things", Subject: "user-0", Personal: true, Teams: w.teams, Limit: 9}
	for range 5 {
		if _, err := things.List(t.Context(), s, f, nil); err != nil {
			t.Fatal(err)
		}
	}
	shape := shape{true, true, Postgres}
	for what, st := range map[string]*statement{
		"looks around": things.plan.statement(shape, -1, 0, looks),
		"merges":       things.plan.statement(shape, -1, 0, merges),
	} {
		if counted.count[st.sql] != 1 {
			t.Errorf("the statement that %s was prepared %d times in five pages, want once", what, counted.count[st.sql])
		}
	}
	if len(counted.count) != 2 {
		t.Errorf("%d statements were prepared, want two", len(counted.count))
	}
}

// A team is found by its bucket, among however many, and nothing else is.
func TestATeamIsFoundAmongManyAndNoOtherIs(t *testing.T) {
	t.Parallel()
	w := newThingWorld(t)
	r := rand.New(rand.NewPCG(1, 2))
	random := func() string {
		var id cursor.UUID
		for i := range id {
			id[i] = byte(r.IntN(256))
		}
		return id.String()
	}
	node := teamsNode{column: "id", uuids: true}
	full := terms{shape: shape{teams: true, dialect: Postgres}, probes: true}
	parts := Visibility{node: node}.teamParts(full)
	query := with(parts[:1])
	text, _, err := query.ToSql()
	if err != nil {
		t.Fatal(err)
	}
	text, _ = numbered(text+" SELECT t0.id FROM unnest(string_to_array(?, ',')::uuid[]) WITH ORDINALITY AS t0(id, n) WHERE "+node.probe("t0.id")+" ORDER BY n",
		[]slot{{kind: teamBucketsSlot}, {kind: limitSlot}})
	for _, size := range []int{0, 1, 7, 8, 9, 300, 5000} {
		var teams, asked, want []string
		for range size {
			team := random()
			near := []byte(team)
			at := r.IntN(8)
			near[at] = "0123456789abcdef"[r.IntN(16)]
			teams = append(teams, team)
			asked = append(asked, team, random())
			want = append(want, team)
			if string(near) != team {
				asked = append(asked, string(near))
			}
		}
		asked = append(asked, random())
		teams = append(teams, "no uuid", "", "|", ",", "0000000A-0000-4000-8000-000000000000")
		asked = append(asked, "0000000a-0000-4000-8000-000000000000")
		got := found(t, w, text, teamBuckets(teams), asked)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("among %d teams others are found (-want +got):\n%s", size, diff)
		}
	}
}

func found(t *testing.T, w thingWorld, query, buckets string, asked []string) []string {
	t.Helper()
	rows, err := w.db.QueryContext(t.Context(), query, buckets, strings.Join(asked, ","))
	if err != nil {
		t.Fatalf("%v in %s", err, query)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		all = append(all, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
