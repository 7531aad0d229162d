package listquery

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// A toll is what a page takes: the blocks that its statement touches, and the rows that
// it comes across in tables and in lists of its own.
type toll struct{ blocks, rows int64 }

// A tollNode is a node of a plan as Postgres explains it in JSON.
type tollNode struct {
	Kind     string     `json:"Node Type"`
	Loops    float64    `json:"Actual Loops"`
	Rows     float64    `json:"Actual Rows"`
	Filtered float64    `json:"Rows Removed by Filter"`
	Hit      int64      `json:"Shared Hit Blocks"`
	Read     int64      `json:"Shared Read Blocks"`
	Plans    []tollNode `json:"Plans"`
}

func (n tollNode) toll() toll { return toll{n.Hit + n.Read, n.rows()} }

func (n tollNode) rows() int64 {
	var all int64
	if strings.HasSuffix(n.Kind, "Scan") && n.Kind != "Subquery Scan" { // which has its rows from below
		all = int64(n.Loops * (n.Rows + n.Filtered))
	}
	for _, below := range n.Plans {
		all += below.rows()
	}
	return all
}

// A tollgate measures pages, each statement of which is planned once and for no
// particular arguments.
type tollgate struct {
	conn    *sql.Conn
	planned map[string]string // names of prepared statements, by their text
}

func newTollgate(t *testing.T, db *sql.DB) *tollgate {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &tollgate{conn, make(map[string]string)}
}

// of is the toll of a page that sets out for a way.
func (g *tollgate) of(t *testing.T, r *Resource[thing], s *Store, f scope.Filter, after cursor.Position, way way) toll {
	t.Helper()
	st, args, err := r.plan.prepare(request{t.Context(), s, f, after}, way)
	if err != nil {
		t.Fatal(err)
	}
	name, ok := g.planned[st.sql]
	if !ok {
		name = fmt.Sprintf("page_%d", len(g.planned))
		g.planned[st.sql] = name
		if _, err := g.conn.ExecContext(t.Context(), "PREPARE "+name+" AS "+st.sql); err != nil {
			t.Fatalf("%v in %s", err, st.sql)
		}
	}
	var text string
	row := g.conn.QueryRowContext(t.Context(), "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE "+name+" ("+literals(t, args)+")")
	if err := row.Scan(&text); err != nil {
		t.Fatal(err)
	}
	var plans []struct{ Plan tollNode }
	if err := json.Unmarshal([]byte(text), &plans); err != nil || len(plans) != 1 {
		t.Fatalf("the plan %s cannot be read: %v", text, err)
	}
	return plans[0].Plan.toll()
}

// crowdRows is how many things a crowd has, and crowdTie how many of them share one time.
const crowdRows, crowdTie = 18_000, 1500

// crowd is an estate for things, with all that a guess from a filter may be wrong about.
// Its teams have names of their kind and a number:
//
//   - team 1 to 100 have ten projects each, of four missions each, and a third of the things
//   - big 1 has one project, with half of all things
//   - old 1 to 20 have ten projects each, and half of the oldest third of all things
//   - idle 1 to 100 have ten projects each, and nothing in them
//   - and none has anything
//
// The subject user-1 owns ten projects with things, user-2 ten without. Seven things share
// a time, and in the middle crowdTie of them do. The planner knows nothing of all that.
func crowd(t *testing.T) *sql.DB {
	t.Helper()
	db := unplanned(t)
	execute(t, db, fmt.Sprintf(`
		CREATE TABLE projects (id uuid PRIMARY KEY, owner_type text NOT NULL, owner_id text, team_id uuid) WITH (autovacuum_enabled = off);
		CREATE TABLE missions (id uuid PRIMARY KEY, project_id uuid) WITH (autovacuum_enabled = off);
		CREATE TABLE things (id uuid, at timestamptz NOT NULL, n bigint NOT NULL, project_id uuid, mission_id uuid) WITH (autovacuum_enabled = off);
		INSERT INTO projects SELECT md5('project ' || kind || ' ' || 1 + n %% teams || ' ' || n / teams)::uuid, 'team', NULL, md5(kind || ' ' || 1 + n %% teams)::uuid
			FROM (VALUES ('team', 100, 10), ('big', 1, 1), ('old', 20, 10), ('idle', 100, 10)) v(kind, teams, each), generate_series(0, teams * each - 1) n;
		INSERT INTO projects SELECT md5('project user-' || u || ' ' || n)::uuid, 'user', 'user-' || u, NULL FROM generate_series(1, 2) u, generate_series(0, 9) n;
		INSERT INTO missions SELECT md5('mission ' || id || ' ' || n)::uuid, id FROM projects, generate_series(0, 3) n;
		INSERT INTO things SELECT md5('thing' || n)::uuid, '2026-01-01Z'::timestamptz - CASE WHEN n / %[2]d = %[1]d / 2 / %[2]d THEN %[1]d / 14 ELSE n / 7 END * interval '1 second', n,
			CASE WHEN n %% 5 > 0 THEN project END, CASE WHEN n %% 5 = 0 THEN md5('mission ' || project || ' ' || n / 5 %% 4)::uuid END
			FROM (SELECT n, md5('project ' || CASE
				WHEN n %% 2 = 0 THEN 'big 1 0'
				WHEN n > %[1]d * 2 / 3 THEN 'old ' || 1 + n * 41 %% 20 || ' ' || n * 43 %% 10
				WHEN n %% 211 = 0 THEN 'user-1 ' || n / 211 %% 10
				ELSE 'team ' || 1 + n * 41 %% 100 || ' ' || n * 43 %% 10 END)::uuid AS project
			FROM generate_series(1, %[1]d) n) AS made;
		ALTER TABLE things ADD PRIMARY KEY (id)`, crowdRows, crowdTie))
	return db
}

// behindRows is the position behind so many things of a crowd; nil is that of the first
// page.
func behindRows(n int) cursor.Position {
	if n == 0 {
		return nil
	}
	return cursor.Position{cursor.TimeValue(time.Date(2026, 1, 1, 0, 0, -n/7, 0, time.UTC)), cursor.UUIDValue(cursor.UUID{0x80})}
}

// crowdGrants are those to a subject of a crowd and to some of its teams.
var crowdGrants = map[string]struct {
	subject string
	crew    crew
}{
	"in no team": {"user-1", crew{}},
	"in no team, and owns nothing that shows": {"user-2", crew{}},
	"one team":                             {"user-1", crew{team: 1}},
	"four teams":                           {"user-1", crew{team: 4}},
	"20 teams":                             {"user-1", crew{team: 20}},
	"50 teams":                             {"user-1", crew{team: 50}},
	"all but the big project's":            {"user-1", crew{team: 100, old: 20, idle: 100}},
	"all":                                  {"user-1", crew{team: 100, big: 1, old: 20, idle: 100}},
	"all, and thousands of others":         {"user-1", crew{team: 100, big: 1, old: 20, idle: 100, none: 5000}},
	"the big project":                      {"user-2", crew{big: 1}},
	"the big project and idle ones":        {"user-2", crew{big: 1, idle: 100}},
	"the big project, and 5,000 with none": {"user-2", crew{big: 1, none: 5000}},
	"one whose rows are old":               {"user-2", crew{old: 1}},
	"four whose rows are old":              {"user-2", crew{old: 4}},
	"20 whose rows are old":                {"user-2", crew{old: 20}},
	"20 whose rows are old, and idle ones": {"user-2", crew{old: 20, idle: 100}},
	"100 without rows":                     {"user-2", crew{idle: 100}},
	"5,000 without projects":               {"user-2", crew{none: 5000}},
}

// A crew is a number of teams of a crowd: the first so many of each kind.
type crew struct{ team, big, old, idle, none int }

func (c crew) teams(t *testing.T, db *sql.DB) []string {
	t.Helper()
	var ids pq.StringArray
	err := db.QueryRow(`SELECT array(SELECT md5(kind || ' ' || n)::uuid::text
		FROM (VALUES ('team', $1::int), ('big', $2), ('old', $3), ('idle', $4), ('none', $5)) v(kind, teams), generate_series(1, teams) n)`,
		c.team, c.big, c.old, c.idle, c.none).Scan(&ids)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// shrunk is the tuning for pages of so many times fewer rows, so that less data will do
// to lead it astray.
func (t tuning) shrunk(times int) tuning {
	for _, n := range []*int{&t.few, &t.sample, &t.poor, &t.rich, &t.resample, &t.good, &t.walk, &t.many, &t.hashMin, &t.hashMax, &t.hashWalk} {
		*n /= times
	}
	return t
}

// most is what a page may take beside the cheaper of two ways. Whatever a statement does
// before it goes the right way is limited by its tuning, and so is a merge that it
// prefers to a walk which would have been cheaper: to look farther would cost as much.
//
// Each row of a walk touches 5 blocks and meets 4 rows, or with a hash table half of
// that, and so does each value whose rows are merged. A team is looked up in 2 blocks.
func (t tuning) most(teams int) toll {
	looks := int64(t.walk + t.hashWalk/2 + t.many)
	return toll{5*looks + 2*int64(teams), 4*looks + 2*int64(teams)}
}

// within reports whether a toll is at most one and a half of the other one, and the rest.
func (c toll) within(other, rest toll) bool {
	return c.blocks <= other.blocks*3/2+rest.blocks && c.rows <= other.rows*3/2+rest.rows
}

// A page never takes much more than by the cheaper one of two ways, a walk within its
// bound or a merge, and a bounded look around: whoever asks, wherever the rows are, and
// wherever the page begins. The ways are forced by the statements for a filter whose way
// is known. Without the choice the worst page here would take six times the bound.
func TestAPageTakesNoMoreThanTheCheaperWayAndABoundedScan(t *testing.T) {
	t.Parallel()
	db := crowd(t)
	gate := newTollgate(t, db)
	const less = 5
	things := tuned(t, standardTuning.shrunk(less), thingDefinition(thingVisibilities()["the project or the mission's project"]))
	createIndexes(t, db, things)
	atStake := 0
	for what, grant := range crowdGrants {
		f := scope.Filter{Resource: "things", Subject: grant.subject, Personal: true, Teams: grant.crew.teams(t, db), Limit: 50 / less}
		most := things.plan.tuning.most(len(f.Teams))
		for _, from := range []int{0, crowdRows / 2, crowdRows - 100} {
			after := behindRows(from)
			s := storeWith(t, db, Config{Prepared: true}, things)
			if _, err := things.List(t.Context(), s, f, after); err != nil {
				t.Fatal(err)
			}
			next, _, err := things.readBy(request{t.Context(), s, f, after}, walks, func(*thing) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			walk, merge := gate.of(t, things, s, f, after, walks), gate.of(t, things, s, f, after, merges)
			cheaper := merge
			if next != nil || crowdRows-from < things.plan.tuning.walk { // or else the walk came to its bound in vain
				cheaper = toll{min(walk.blocks, merge.blocks), min(walk.rows, merge.rows)}
			}
			for _, way := range slices.Compact([]way{looks, s.learned.wayOf(s.learned.key(f))}) {
				if got := gate.of(t, things, s, f, after, way); !got.within(cheaper, most) {
					t.Errorf("%s: behind %d rows, way %d, a page takes %+v; a walk takes %+v, a merge %+v, and at most %+v may be added", what, from, way, got, walk, merge, most)
				}
			}
			if !merge.within(walk, most) {
				atStake++
			}
		}
	}
	if atStake < 15 {
		t.Errorf("only %d pages would take too much if they were merged; nothing is at stake", atStake)
	}
}
