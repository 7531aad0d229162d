package demo

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lib/pq"

	"github.com/mosaicstack/fedkit/internal/pgtest"
)

func TestPostgresGivesBackWhatWasLoaded(t *testing.T) {
	t.Parallel()
	parsed, err := Parse(strings.NewReader(sound))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		data Data
	}{
		{"the built-in world", BuiltIn()},
		{"a world at the edges", parsed},
		{"more rows than fit in one statement", large(2500)},
		{"nothing", Data{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			db := emptyTables(t)
			if err := Load(t.Context(), db, Postgres, "", test.data); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.data, stored(t, db), sameJSON); diff != "" {
				t.Errorf("what was loaded and what is stored (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAScopeIsStoredAsItWasWrittenDuplicatesIncluded(t *testing.T) {
	t.Parallel()
	db := emptyTables(t)
	data, err := Parse(strings.NewReader(sound))
	if err != nil {
		t.Fatal(err)
	}
	if err := Load(t.Context(), db, Postgres, "", data); err != nil {
		t.Fatal(err)
	}
	var scope string
	if err := db.QueryRow("SELECT scope FROM grants").Scan(&scope); err != nil {
		t.Fatal(err)
	}
	if want := `{"resources":[],"resources":null}`; scope != want {
		t.Errorf("the scope %s is stored as %s", want, scope)
	}
}

func TestDataGoesIntoTheSchemaThatIsNamed(t *testing.T) {
	t.Parallel()
	name, _ := pgtest.Schema(t)
	db := pgtest.Open(t) // whose search path is another schema
	for _, statement := range DDL(Postgres, name) {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := Load(t.Context(), db, Postgres, name, BuiltIn()); err != nil {
		t.Fatal(err)
	}
	var users int
	if err := db.QueryRow("SELECT count(*) FROM " + pq.QuoteIdentifier(name) + ".users").Scan(&users); err != nil {
		t.Fatal(err)
	}
	if want := len(BuiltIn().Users); users != want {
		t.Errorf("the schema has %d users of %d", users, want)
	}
}

func TestALoadThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	db := emptyTables(t)
	data := BuiltIn()
	data.Grants[len(data.Grants)-1].Token = data.Grants[0].Token
	err := Load(t.Context(), db, Postgres, "", data)
	var refused *pq.Error
	if !errors.As(err, &refused) || refused.Code.Name() != "unique_violation" {
		t.Errorf("two grants with one token give the error %v", err)
	}
	if diff := cmp.Diff(Data{}, stored(t, db)); diff != "" {
		t.Errorf("after a load that failed there is:\n%s", diff)
	}
}

func TestALoadInATransactionIsTheCallersToUndo(t *testing.T) {
	t.Parallel()
	db := emptyTables(t)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := Load(t.Context(), tx, Postgres, "", BuiltIn()); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Data{}, stored(t, db)); diff != "" {
		t.Errorf("after the rollback there is:\n%s", diff)
	}
}

func TestALoadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	db := emptyTables(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Load(ctx, db, Postgres, "", BuiltIn()); !errors.Is(err, context.Canceled) {
		t.Errorf("a load with a context that has ended gives the error %v", err)
	}
}

func BenchmarkLoad100000RowsIntoPostgres(b *testing.B) {
	data := large(100_000)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		db := emptyTables(b)
		b.StartTimer()
		if err := Load(b.Context(), db, Postgres, "", data); err != nil {
			b.Fatal(err)
		}
	}
}

// emptyTables returns a database with the empty standard schema.
func emptyTables(tb testing.TB) *sql.DB {
	tb.Helper()
	db := pgtest.Open(tb)
	for _, statement := range DDL(Postgres, "") {
		if _, err := db.Exec(statement); err != nil {
			tb.Fatalf("%s: %v", statement, err)
		}
	}
	return db
}

// stored reads a world from the database: Postgres writes the rows in the fixture's
// own format, in the order in which they were stored.
func stored(t *testing.T, db *sql.DB) Data {
	t.Helper()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.Exec("SET LOCAL timezone = 'UTC'"); err != nil {
		t.Fatal(err)
	}
	fixture := map[string]json.RawMessage{}
	for _, name := range Tables() {
		var rows []byte
		query := "SELECT coalesce(json_agg(t ORDER BY ctid), '[]') FROM " + name + " t"
		if err := tx.QueryRow(query).Scan(&rows); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		fixture[name] = rows
	}
	text, err := json.Marshal(fixture)
	if err != nil {
		t.Fatal(err)
	}
	data, err := Parse(strings.NewReader(string(text)))
	if err != nil {
		t.Fatalf("what the database has is no sound world: %v", err)
	}
	return data
}

// sameJSON compares documents as values: jsonb orders members in its own way.
var sameJSON = cmp.Transformer("value", func(text json.RawMessage) any {
	if text == nil {
		return nil
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		panic(err)
	}
	return []any{value} // so that null is not nil
})

// large returns a world of one user with so many tasks.
func large(tasks int) Data {
	data := Data{Users: []User{{ID: "user-1", Name: "User 1", Email: "user-1@example.test"}}}
	user, id := "user-1", "10000000-0000-0000-0000-000000000000"
	data.Projects = []Project{{ID: id, Name: "P", OwnerType: "user", OwnerID: &user}}
	start := time.Date(2026, 6, 24, 3, 0, 0, 0, time.UTC)
	for n := range tasks {
		at := start.Add(time.Duration(n/3) * time.Microsecond)
		data.Tasks = append(data.Tasks, Task{
			ID: fmt.Sprintf("00000000-0000-0000-0000-%012x", n), Title: fmt.Sprintf("task %d", n),
			Status: "not-started", Priority: "low", ProjectID: &id, Tags: json.RawMessage(`["a","b"]`),
			CreatedAt: at, UpdatedAt: at,
		})
	}
	return data
}
