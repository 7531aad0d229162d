package drivertest

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// An explainer is a database that explains each statement before it runs it.
type explainer struct {
	*sql.DB
	t    *testing.T
	plan []string
}

func (e *explainer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	e.t.Helper()
	rows, err := e.DB.QueryContext(ctx, "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		e.t.Fatalf("%v in %s", err, query)
	}
	defer rows.Close()
	e.plan = nil
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			e.t.Fatal(err)
		}
		e.plan = append(e.plan, detail)
	}
	return e.DB.QueryContext(ctx, query, args...)
}

func sqliteStore(t *testing.T, db listquery.Querier, schema listquery.Schema) *listquery.Store {
	t.Helper()
	resources, err := listquery.Standard(schema)
	if err != nil {
		t.Fatal(err)
	}
	s, err := listquery.NewStore(db, listquery.Config{Dialect: listquery.SQLite, Resources: resources, Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSQLiteWalksAnIndex holds SQLite to the index that has the rows of a list in their
// order: no table is read from end to end, nothing is sorted but the two pages of
// memory, and a page behind a position begins there.
func TestSQLiteWalksAnIndex(t *testing.T) {
	t.Parallel()
	at := cursor.TimeValue(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	id := cursor.UUIDValue(cursor.UUID{0x80})
	first := map[string]string{
		"tasks":  "SCAN t0 USING INDEX tasks_newest",
		"notes":  "SEARCH t0 USING INDEX mission_tasks_of_user (user_id=?)",
		"memory": "SEARCH t0 USING INDEX insights_of_user (user_id=?)",
	}
	behind := map[string]string{
		"tasks":  "SEARCH t0 USING INDEX tasks_newest ((created_at,id)<(?,?))",
		"notes":  "SEARCH t0 USING INDEX mission_tasks_of_user (user_id=? AND (created_at,id)<(?,?))",
		"memory": "SEARCH t0 USING INDEX insights_of_user (user_id=? AND (created_at,id)<(?,?))",
	}
	for _, schema := range []listquery.Schema{{}, {TasksThroughProjectOnly: true, TeamsOfMembersOnly: true}} {
		e := &explainer{DB: openSQLite(t).SQL, t: t}
		s := sqliteStore(t, e, schema)
		for resource := range first {
			for _, teams := range [][]string{nil, {"00000000-0000-4000-8000-00000000000a"}} {
				f := scope.Filter{Resource: resource, Subject: "user-1", Personal: true, Teams: teams, Limit: 10}
				position := cursor.Position{at, id}
				if resource == "memory" {
					position = append(cursor.Position{cursor.EnumValue(0)}, position...)
				}
				for _, page := range []struct {
					after cursor.Position
					want  string
				}{{nil, first[resource]}, {position, behind[resource]}} {
					if _, _, err := s.List(t.Context(), f, page.after); err != nil {
						t.Fatal(err)
					}
					if !slices.Contains(e.plan, page.want) || !indexed(resource, e.plan) {
						t.Errorf("%s of %d teams behind %v is planned as\n%s\nwithout %s", resource, len(teams), page.after, strings.Join(e.plan, "\n"), page.want)
					}
				}
			}
		}
	}
}

// indexed reports whether a plan looks everything up in indexes. The teams of a filter
// are a list that has none, and memory merges two pages that it sorts.
func indexed(resource string, plan []string) bool {
	for _, step := range plan {
		scans := strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "USING") &&
			!strings.Contains(step, "json_each") && !strings.Contains(step, "subquery")
		sorts := strings.Contains(step, "TEMP B-TREE FOR ORDER BY") && resource != "memory"
		if scans || sorts || strings.Contains(step, "MULTI-INDEX OR") {
			return false
		}
	}
	return true
}

func TestCheckReadsTheCatalogOfSQLite(t *testing.T) {
	t.Parallel()
	for change, want := range map[string]listquery.Missing{
		"SELECT 1":                               {},
		"DROP TABLE preferences":                 {Table: "preferences"},
		"ALTER TABLE tasks DROP COLUMN assignee": {Table: "tasks", Column: "assignee"},
		"DROP INDEX tasks_newest":                {Table: "tasks", Index: `("created_at" DESC, "id" DESC)`},
		"DROP INDEX mission_tasks_of_user":       {Table: "mission_tasks", Index: `("user_id", "created_at" DESC, "id" DESC)`},
		"DROP INDEX insights_of_user":            {Table: "insights", Index: `("user_id", "created_at" DESC, "id" DESC)`},
		"DROP INDEX team_members_of_user":        {Table: "team_members", Index: `("user_id", "team_id")`},
		"DROP INDEX tasks_newest;CREATE INDEX up ON tasks (created_at, id)":                      {},
		"DROP INDEX tasks_newest;CREATE INDEX half ON tasks (created_at)":                        {Table: "tasks", Index: "created_at"},
		"DROP INDEX tasks_newest;CREATE INDEX part ON tasks (created_at, id) where status = 'x'": {Table: "tasks", Index: "created_at"},
		"DROP INDEX tasks_newest;CREATE INDEX mixed ON tasks (created_at DESC, id)":              {Table: "tasks", Index: "created_at"},
	} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			db := openSQLite(t).SQL
			for statement := range strings.SplitSeq(change, ";") {
				if _, err := db.Exec(statement); err != nil {
					t.Fatal(err)
				}
			}
			err := sqliteStore(t, db, listquery.Schema{}).Check(t.Context())
			var missing *listquery.MissingError
			switch {
			case want == listquery.Missing{}:
				if err != nil {
					t.Errorf("Check misses something: %v", err)
				}
			case !errors.As(err, &missing) || len(missing.Missing) != 1:
				t.Errorf("Check says %v, want one thing missing of %s", err, want.Table)
			default:
				got := missing.Missing[0]
				if got.Table != want.Table || got.Column != want.Column || !strings.Contains(got.Index, want.Index) {
					t.Errorf("Check misses %+v, want %+v", got, want)
				}
			}
		})
	}
}

func TestIndexesMakeWhatCheckMissesInSQLite(t *testing.T) {
	t.Parallel()
	db := openSQLite(t).SQL
	for _, index := range []string{"tasks_newest", "mission_tasks_of_user", "insights_of_user", "preferences_of_user", "team_members_of_user"} {
		if _, err := db.Exec("DROP INDEX " + index); err != nil {
			t.Fatal(err)
		}
	}
	s := sqliteStore(t, db, listquery.Schema{})
	var missing *listquery.MissingError
	if err := s.Check(t.Context()); !errors.As(err, &missing) || len(missing.Missing) != 5 {
		t.Errorf("without five indexes Check says %v", err)
	}
	for _, statement := range listquery.Indexes(listquery.SQLite) {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%v in %s", err, statement)
		}
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("after Indexes Check says %v", err)
	}
}

func TestAPreparedStoreListsFromSQLite(t *testing.T) {
	t.Parallel()
	resources, err := listquery.Standard(listquery.Schema{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := listquery.NewStore(openSQLite(t).SQL, listquery.Config{Dialect: listquery.SQLite, Resources: resources, Prepared: true})
	if err != nil {
		t.Fatal(err)
	}
	f := scope.Filter{Resource: "tasks", Subject: "user-1", Personal: true, Limit: 10}
	for range 2 {
		if _, _, err := s.List(t.Context(), f, nil); err != nil {
			t.Errorf("a prepared page of SQLite fails: %v", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close fails: %v", err)
	}
	if _, _, err := s.List(t.Context(), f, nil); !errors.Is(err, listquery.ErrClosed) {
		t.Errorf("a page of a closed store: %v, want ErrClosed", err)
	}
}
