package listquery

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Masterminds/squirrel"
	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/internal/demo"
	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/scope"
)

const never = 1 << 30

// ways force the adaptive statement to go one way, or to begin one and end with
// another.
var ways = map[string]tuning{
	"as it likes":                   standardTuning,
	"by merging":                    {few: never, walk: 1, hashWalk: 1, depth: 3},
	"by merging with shallow heads": {few: never, walk: 1, hashWalk: 1, depth: 0},
	"by a walk":                     {few: 0, sample: 5, walk: never / 1000, hashMin: never, hashMax: never, hashWalk: 1, depth: 3},
	"by a walk that ends early":     {few: 0, sample: 5, walk: 7, hashMin: never, hashMax: never, hashWalk: 1, depth: 3},
	"by a hash table":               {few: 0, sample: 1, poor: never, rich: never, walk: 5, many: never, hashMax: never, hashWalk: never / 1000, depth: 3},
	"by a hash that ends early":     {few: 0, sample: 1, poor: never, rich: never, walk: 5, many: never, hashMax: never, hashWalk: 7, depth: 1},
	"by what two rows say":          {few: 2, sample: 2, poor: 1, rich: 2, resample: 4, good: 2, walk: 9, many: 8, hashMin: 4, hashMax: 12, hashWalk: 9, depth: 1},
}

// A thing is a row that shows by whatever a test says.
type thing struct {
	ID cursor.UUID `json:"id"`
	At time.Time   `json:"at"`
	N  int64       `json:"n"`
}

func thingDefinition(v Visibility) Definition[thing] {
	return Definition[thing]{
		Name: "things", Table: "things", OrderBy: []string{"at"}, Key: "id", Visible: v,
		Columns: []Column[thing]{
			Col("id", func(r *thing) *cursor.UUID { return &r.ID }),
			Col("at", func(r *thing) *time.Time { return &r.At }),
			Col("n", func(r *thing) *int64 { return &r.N }),
		},
	}
}

// thingVisibilities are rules of every kind that arms are derived from, and of some
// that have none.
func thingVisibilities() map[string]Visibility {
	owned := Any(
		All(Is("owner_type", "user"), Personal("owner_id")),
		All(Is("owner_type", "team"), TeamUUIDs("team_id")),
	)
	memberTeam := All(TeamUUIDs("team_id"), Parent("team_id", "team_members", "team_id", Subject("user_id")))
	project := Parent("project_id", "projects", "id", owned)
	mission := Parent("mission_id", "missions", "id", project)
	return map[string]Visibility{
		"the project or the mission's project":       Any(project, mission),
		"the mission only where there is no project": Any(project, All(IsNull("project_id"), mission)),
		"the project of a member's team":             Parent("project_id", "projects", "id", memberTeam),
		"the owner or the team":                      Any(Personal("owner"), TeamUUIDs("team")),
		"the team's name or the owner":               Any(Teams("team_name"), Personal("owner"), mission),
		"the subject's own of a team":                All(Subject("owner"), Teams("team_name")),
		"the subject's own of a project":             All(Subject("owner"), project),
		"a member's team on the row":                 All(TeamUUIDs("team"), Parent("team", "team_members", "team_id", Subject("user_id"))),
		"teams as members have them, on the row":     All(Parent("team", "team_members", "team_id", Subject("user_id")), TeamUUIDs("team")),
		"two parents at once":                        All(project, mission),
		"open rows of a team, the owner's":           Any(All(Is("state", "open"), TeamUUIDs("team")), Personal("owner")),
		"the owner alone":                            Personal("owner"),
		"two owners":                                 Any(Personal("owner"), Personal("reader")),
		"an author among several":                    All(Any(Subject("owner"), Subject("reader")), TeamUUIDs("team")),
		"the owner's project or the mission's team's": Any(
			Parent("project_id", "projects", "id", All(Is("owner_type", "user"), Personal("owner_id"))),
			Parent("mission_id", "missions", "id", Parent("project_id", "projects", "id", All(Is("owner_type", "team"), TeamUUIDs("team_id"))))),
		"a parent with an author": Parent("mission_id", "missions", "id", All(Subject("user_id"), project)),
	}
}

// A thingWorld is a database with a few hundred things in ties.
type thingWorld struct {
	db    *sql.DB
	teams []string
}

func newThingWorld(t *testing.T) thingWorld {
	t.Helper()
	db := pgtest.Open(t)
	for _, statement := range demo.DDL(demo.Postgres, "") {
		execute(t, db, statement)
	}
	execute(t, db, `
		INSERT INTO users SELECT 'user-' || n, '', '' FROM generate_series(0, 3) n;
		INSERT INTO teams SELECT md5('team' || n)::uuid, '', '', 'user-0', 'user-0' FROM generate_series(0, 5) n;
		INSERT INTO team_members SELECT md5('team' || n)::uuid, 'user-' || u FROM generate_series(0, 5) n, generate_series(0, 3) u WHERE (n + u) % 2 = 0;
		INSERT INTO projects SELECT md5('project' || n)::uuid, '', CASE WHEN n % 4 = 0 THEN 'user' ELSE 'team' END,
			CASE WHEN n % 3 <> 1 THEN 'user-' || n % 3 END, CASE WHEN n % 5 > 0 THEN md5('team' || n % 6)::uuid END FROM generate_series(0, 19) n;
		INSERT INTO missions SELECT md5('mission' || n)::uuid, '', CASE WHEN n % 7 > 0 THEN md5('project' || n % 20)::uuid END, 'user-' || n % 3 FROM generate_series(0, 39) n;
		CREATE TABLE things (id uuid PRIMARY KEY, at timestamptz NOT NULL, n bigint NOT NULL, state text, owner text, reader text,
			team uuid, team_name text, project_id uuid, mission_id uuid);
		SELECT setseed(0.5);
		INSERT INTO things SELECT md5('thing' || n)::uuid, '2026-01-01Z'::timestamptz + floor(random() * 60) * interval '1 microsecond', n,
			CASE WHEN random() < 0.5 THEN 'open' END,
			CASE WHEN random() < 0.5 THEN 'user-' || floor(random() * 4) END, CASE WHEN random() < 0.5 THEN 'user-' || floor(random() * 4) END,
			CASE WHEN random() < 0.5 THEN md5('team' || floor(random() * 6))::uuid END, CASE WHEN random() < 0.5 THEN 'team ' || floor(random() * 6) END,
			CASE WHEN random() < 0.6 THEN md5('project' || floor(random() * random() * 20))::uuid END,
			CASE WHEN random() < 0.6 THEN md5('mission' || floor(random() * random() * 40))::uuid END
		FROM generate_series(1, 400) n`)
	w := thingWorld{db: db}
	for n := range 6 {
		var id string
		if err := db.QueryRow("SELECT md5('team' || $1::text)::uuid", fmt.Sprint(n)).Scan(&id); err != nil {
			t.Fatal(err)
		}
		w.teams = append(w.teams, id, fmt.Sprintf("team %d", n))
	}
	return w
}

func execute(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%v in %s", err, statement)
	}
}

// filter is a random one; some have teams twice, or unknown ones.
func (w thingWorld) filter(r *rand.Rand) scope.Filter {
	f := scope.Filter{Resource: "things", Subject: fmt.Sprintf("user-%d", r.IntN(5)), Personal: r.IntN(3) > 0}
	for range r.IntN(8) {
		f.Teams = append(f.Teams, w.teams[r.IntN(len(w.teams))])
	}
	if r.IntN(4) == 0 {
		f.Teams = append(f.Teams, "00000000-0000-4000-8000-000000000000", "no uuid", "")
	}
	return f
}

// tuned is Define with another tuning.
func tuned[T any](t *testing.T, way tuning, d Definition[T]) *Resource[T] {
	t.Helper()
	r := &Resource[T]{encode: encodeAny[T]}
	r.plan.tuning = way
	if err := r.define([]Definition[T]{d}); err != nil {
		t.Fatal(err)
	}
	return r
}

// reference lists all rows by the plain statement, which says what is meant.
func reference(t *testing.T, db Querier, r *Resource[thing], f scope.Filter) []thing {
	t.Helper()
	query, err := r.plan.direct(terms{shape: shape{f.Personal, len(f.Teams) > 0, Postgres}}, -1)
	if err != nil {
		t.Fatal(err)
	}
	if query == nil || f.Empty() {
		return nil
	}
	st, err := newStatement(Postgres, query)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := db.QueryContext(t.Context(), st.sql, st.arguments(f, nil, MaxLimit)...)
	if err != nil {
		t.Fatalf("%v in %s", err, st.sql)
	}
	defer rows.Close()
	var all []thing
	if _, _, err := r.scan(st, rows, MaxLimit, func(row *thing) error { all = append(all, *row); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func storeWith(t *testing.T, db Querier, cfg Config, resources ...AnyResource) *Store {
	t.Helper()
	cfg.Dialect, cfg.Resources = Postgres, resources
	s, err := NewStore(db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestEveryWayOfAPageGivesTheRowsOfThePlainStatement(t *testing.T) {
	t.Parallel()
	w := newThingWorld(t)
	for what, visible := range thingVisibilities() {
		for name, way := range ways {
			t.Run(what+" "+name, func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(uint64(len(what)), uint64(len(name))))
				for _, ascending := range []bool{false, true} {
					d := thingDefinition(visible)
					d.Ascending = ascending
					if ascending {
						d.Where = squirrel.NotEq{"n % 3": 1}
					}
					things := tuned(t, way, d)
					s := storeWith(t, w.db, Config{Prepared: true}, things)
					for range 2 {
						f := w.filter(r)
						want := reference(t, w.db, things, f)
						for _, limit := range []int{5 + r.IntN(9), 30 + r.IntN(90), 500} {
							f.Limit = limit
							if diff := cmp.Diff(numbers(want), walked(t, s, things, f)); diff != "" {
								t.Fatalf("pages of %+v, ascending %v, differ from the plain statement (-want +got):\n%s", f, ascending, diff)
							}
						}
					}
				}
			})
		}
	}
}

// walked is what all pages list. Walking is given up where a list does not end.
func walked(t *testing.T, s *Store, r *Resource[thing], f scope.Filter) []int64 {
	t.Helper()
	var all []int64
	for row, err := range r.All(t.Context(), s, f) {
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, row.N); len(all) > 1000 {
			t.Fatalf("the list of %+v does not end", f)
		}
	}
	return all
}

func numbers(rows []thing) []int64 {
	var all []int64
	for _, row := range rows {
		all = append(all, row.N)
	}
	return all
}

// A short page comes only at the end: each page but the last has as many rows as were
// asked for, whichever way it came.
func TestAPageIsFullWheneverEnoughRowsRemain(t *testing.T) {
	t.Parallel()
	w := newThingWorld(t)
	for name, way := range ways {
		things := tuned(t, way, thingDefinition(thingVisibilities()["the project or the mission's project"]))
		s := storeWith(t, w.db, Config{}, things)
		f := scope.Filter{Resource: "things", Subject: "user-0", Personal: true, Teams: w.teams, Limit: 9}
		total := len(reference(t, w.db, things, f))
		var after cursor.Position
		for seen := 0; ; {
			page, err := things.List(t.Context(), s, f, after)
			if err != nil {
				t.Fatal(err)
			}
			seen += len(page.Items)
			if want := min(f.Limit, total-seen+len(page.Items)); len(page.Items) != want || (page.Next != nil) != (seen < total) {
				t.Fatalf("%s: a page has %d of %d rows, %d of %d in all, next %v", name, len(page.Items), want, seen, total, page.Next)
			}
			if after = page.Next; after == nil {
				break
			}
		}
	}
}

// TestTheRulesOfTheStandardSchemaHaveArms: otherwise the other tests would compare the
// plain statement with itself.
func TestTheRulesOfTheStandardSchemaHaveArms(t *testing.T) {
	for _, schema := range []Schema{{}, {TasksThroughProjectOnly: true}, {TeamsOfMembersOnly: true}, {TasksThroughProjectOnly: true, TeamsOfMembersOnly: true}} {
		resources, err := Standard(schema)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range resources[:2] {
			for _, s := range []shape{{true, true, Postgres}, {false, true, Postgres}, {true, false, Postgres}} {
				if sql := r.definition().statement(s, 0, 0, looks).sql; !strings.Contains(sql, "listed-heads") {
					t.Errorf("%s of %+v for %+v has one way only:\n%s", r.Name(), schema, s, sql)
				}
			}
		}
	}
}

func TestWhatHasNoArmsIsWalked(t *testing.T) {
	for what, visible := range thingVisibilities() {
		r, err := Define(thingDefinition(visible))
		if err != nil {
			t.Fatal(err)
		}
		adaptive := strings.Contains(r.plan.statement(shape{true, true, Postgres}, -1, 0, looks).sql, "listed-heads")
		walked := slices.Contains([]string{"two parents at once", "the owner alone", "an author among several"}, what)
		if adaptive == walked {
			t.Errorf("%s: the statement is adaptive: %v", what, adaptive)
		}
	}
}

// A planNode is a node of a plan as Postgres explains it in JSON.
type planNode struct {
	Kind  string     `json:"Node Type"`
	Table string     `json:"Relation Name"`
	Part  string     `json:"CTE Name"`
	Loops float64    `json:"Actual Loops"`
	Hit   int64      `json:"Shared Hit Blocks"`
	Read  int64      `json:"Shared Read Blocks"`
	Plans []planNode `json:"Plans"`
}

// tables are those that the plan read from end to end. The teams of the filter count
// as one if they are read for each row, as they are if a probe has become a join.
func (n planNode) tables() []string {
	var all []string
	if n.Kind == "Seq Scan" && n.Loops > 0 {
		all = append(all, n.Table)
	}
	if part := `"` + n.Part + `"`; (part == teamUUIDsPart || part == teamTextsPart) && n.Loops > 10 {
		all = append(all, n.Part)
	}
	for _, below := range n.Plans {
		all = append(all, below.tables()...)
	}
	return all
}

// explained runs a statement once more and returns the blocks that it touched, and the
// tables that it read from end to end.
func explained(t *testing.T, db Querier, sql string, args ...any) (blocks int64, read []string) {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+sql, args...)
	if err != nil {
		t.Fatalf("%v in %s", err, sql)
	}
	defer rows.Close()
	var text string
	for rows.Next() {
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
	}
	var plans []struct{ Plan planNode }
	if err := json.Unmarshal([]byte(text), &plans); err != nil || len(plans) != 1 {
		t.Fatalf("the plan %s cannot be read: %v", text, err)
	}
	return plans[0].Plan.Hit + plans[0].Plan.Read, plans[0].Plan.tables()
}
