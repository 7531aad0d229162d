package listquery

import (
	"database/sql"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/internal/demo"
	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/scope"
)

// references would have each row looked up that another one refers to.
var references = regexp.MustCompile(` REFERENCES \w+( ON DELETE (CASCADE|SET NULL))?`)

// unplanned is an empty database that plans statements for no particular arguments.
func unplanned(t *testing.T) *sql.DB {
	t.Helper()
	dsn, err := url.Parse(pgtest.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	query := dsn.Query()
	query.Set("plan_cache_mode", "force_generic_plan")
	dsn.RawQuery = query.Encode()
	db, err := sql.Open("postgres", dsn.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// estate is a database of the standard schema with 200 teams, 2,000 projects, 8,000
// missions and rows of tasks and notes, half of which the last project of all has. The
// planner knows nothing of the data, and plans for no particular arguments.
func estate(t *testing.T, rows int) *sql.DB {
	t.Helper()
	db := unplanned(t)
	for _, statement := range demo.DDL(demo.Postgres, "") {
		execute(t, db, references.ReplaceAllString(statement, ""))
	}
	for _, table := range []string{"projects", "missions", "tasks", "mission_tasks"} {
		execute(t, db, "ALTER TABLE "+table+" SET (autovacuum_enabled = off)")
	}
	execute(t, db, fmt.Sprintf(`
		INSERT INTO projects SELECT md5('project' || n)::uuid, '', CASE WHEN n %% 200 = 0 THEN 'user' ELSE 'team' END,
			CASE WHEN n %% 200 = 0 THEN 'user-1' END, CASE WHEN n %% 200 > 0 THEN md5('team' || n %% 200)::uuid END FROM generate_series(1, 2000) n;
		INSERT INTO missions SELECT md5('mission' || n)::uuid, '', md5('project' || 1 + n %% 2000)::uuid, 'user-1' FROM generate_series(1, 8000) n;
		INSERT INTO tasks SELECT md5('task' || n)::uuid, 'Task', NULL, 'open', 'low',
			md5('project' || CASE WHEN n %% 2 = 0 THEN 1999 ELSE 1 + n / 2 * 41 %% 1998 END)::uuid,
			CASE WHEN n %% 3 = 0 THEN md5('mission' || 1 + n * 41 %% 7000)::uuid END, NULL, NULL, NULL, NULL,
			'2026-01-01Z'::timestamptz - n / 7 * interval '1 second', now() FROM generate_series(1, %d) n;
		INSERT INTO mission_tasks SELECT md5('note' || n)::uuid, md5('mission' || 1 + n * 41 %% 8000)::uuid, NULL, 'user-' || n %% 2, 'open',
			CASE WHEN n %% 5 > 0 THEN 'note' END, '2026-01-01Z'::timestamptz - n / 7 * interval '1 second', now() FROM generate_series(1, %d) n;
		INSERT INTO insights SELECT md5('insight' || n)::uuid, 'user-' || n %% 10, '', '', '', 0.5, NULL, '2026-01-01Z'::timestamptz - n * interval '1 second', now()
			FROM generate_series(1, %d) n`, rows, rows, rows/5))
	return db
}

// teamIDs are the first n teams of an estate.
func teamIDs(t *testing.T, db *sql.DB, n int) []string {
	t.Helper()
	var ids pq.StringArray
	if err := db.QueryRow("SELECT array(SELECT md5('team' || n)::uuid::text FROM generate_series(1, $1::int) n)", n).Scan(&ids); err != nil {
		t.Fatal(err)
	}
	return ids
}

// pageBlocks is how many blocks a page of 50 rows touches, planned for no particular
// arguments: the most of when nothing is known of the filter, and when the way of its
// last page is. The page must be full.
func pageBlocks(t *testing.T, db *sql.DB, r AnyResource, f scope.Filter, after cursor.Position) int64 {
	t.Helper()
	f.Resource, f.Subject, f.Limit = r.Name(), "user-1", 50
	store := storeWith(t, db, Config{}, r)
	if rows, _, err := store.List(t.Context(), f, after); err != nil || len(rows) != f.Limit {
		t.Fatalf("a page of %s for %d teams has %d rows, %v", r.Name(), len(f.Teams), len(rows), err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	var most int64
	for _, way := range []way{looks, store.learned.wayOf(store.learned.key(f))} {
		st, args, err := r.definition().prepare(request{t.Context(), store, f, after}, way)
		if err != nil {
			t.Fatal(err)
		}
		blocks, read := explainedGeneric(t, tx, st.sql, args)
		if len(read) > 0 && !slices.Equal(read, []string{"preferences"}) { // which is empty
			t.Errorf("a page of %s for %d teams, way %d, reads all of %v", r.Name(), len(f.Teams), way, read)
		}
		most = max(most, blocks)
	}
	return most
}

// explainedGeneric is explained for a statement that is planned without its arguments.
func explainedGeneric(t *testing.T, tx *sql.Tx, sql string, args []any) (blocks int64, read []string) {
	t.Helper()
	if _, err := tx.Exec("DEALLOCATE ALL; PREPARE page AS " + sql); err != nil {
		t.Fatal(err)
	}
	return explained(t, tx, "EXECUTE page ("+literals(t, args)+")")
}

// literals are the arguments of a statement as EXECUTE takes them.
func literals(t *testing.T, args []any) string {
	t.Helper()
	values := make([]string, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case int64:
			values[i] = fmt.Sprint(arg)
		case time.Time:
			values[i] = pq.QuoteLiteral(arg.Format(time.RFC3339Nano))
		case string:
			values[i] = pq.QuoteLiteral(arg)
		default:
			t.Fatalf("there is no literal for %T", arg)
		}
	}
	return strings.Join(values, ", ")
}

// at is the position behind the given share of an estate's rows.
func at(r AnyResource, rows int, share float64) cursor.Position {
	seconds := rows / 7
	if r.Name() == "memory" {
		seconds = rows / 5
	}
	p := cursor.Position{
		cursor.TimeValue(time.Date(2026, 1, 1, 0, 0, -int(share*float64(seconds)), 0, time.UTC)),
		cursor.UUIDValue(cursor.UUID{0x80}),
	}
	if r.Name() == "memory" {
		p = append(cursor.Position{cursor.EnumValue(0)}, p...)
	}
	return p
}

// TestAPageTouchesBlocksByItsRows holds each way to a number of blocks that depends on
// the page alone: not on how deep it is, nor on how many rows the table has, nor on
// what the planner knows.
func TestAPageTouchesBlocksByItsRows(t *testing.T) {
	t.Parallel()
	resources, err := Standard(Schema{})
	if err != nil {
		t.Fatal(err)
	}
	ofHost := thingDefinition(Parent("project_id", "projects", "id", TeamUUIDs("team_id")))
	ofHost.Table, ofHost.OrderBy = "tasks", []string{"created_at"}
	ofHost.Columns = []Column[thing]{
		Col("id", func(r *thing) *cursor.UUID { return &r.ID }),
		Col("created_at", func(r *thing) *time.Time { return &r.At }),
	}
	things, err := Define(ofHost)
	if err != nil {
		t.Fatal(err)
	}
	resources = append(resources, things)
	tests := []struct {
		resource, teams int // indexes
		most            int64
		what            string
	}{
		{0, 0, 700, "tasks of ten projects, merged"},
		{0, 3, 2300, "tasks of 40 projects, merged by heads"},
		{0, 13, 5000, "tasks of 140 projects, by a hash table"},
		{0, 199, 500, "tasks of all teams, walked"},
		{1, 5, 2300, "notes of few projects"},
		{1, 199, 900, "notes of all teams, walked"},
		{2, 0, 30, "memory"},
		{3, 3, 600, "what a host defines, of few teams"},
		{3, 60, 1500, "what a host defines, of many teams"},
		{3, 199, 500, "what a host defines, of all teams"},
	}
	sizes := []int{60_000, 240_000}
	for _, rows := range sizes {
		db := estate(t, rows)
		for _, statement := range Indexes(Postgres, things) {
			execute(t, db, statement)
		}
		for _, analyzed := range []bool{false, true} {
			if analyzed {
				// By name: without one it is all tables of all tests that run meanwhile.
				execute(t, db, "ANALYZE projects, missions, tasks, mission_tasks, insights")
			}
			for _, test := range tests {
				r := resources[test.resource]
				f := scope.Filter{Personal: true, Teams: teamIDs(t, db, test.teams)}
				for _, share := range []float64{0, 0.5} {
					var after cursor.Position
					if share > 0 {
						after = at(r, rows, share)
					}
					got := pageBlocks(t, db, r, f, after)
					if got > test.most {
						t.Errorf("%s: a page behind %.0f %% of %d rows touches %d blocks, at most %d are its due", test.what, 100*share, rows, got, test.most)
					}
				}
			}
		}
	}
}
