package drivertest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/Masterminds/squirrel"
	"modernc.org/sqlite"

	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// A shelf is a book of user-1 in a file, without WAL: a writer locks readers out.
func shelf(t *testing.T) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "shelf.db")
	_, err := openShelf(t, file, "").Exec("CREATE TABLE books (id INTEGER PRIMARY KEY, owner TEXT NOT NULL); INSERT INTO books VALUES (1, 'user-1')")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func openShelf(t *testing.T, file, query string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: file, RawQuery: query}).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// readsOfShelf are a page and a row of the books, under a condition.
func readsOfShelf(t *testing.T, db listquery.Querier, condition string) map[string]func(context.Context) error {
	t.Helper()
	type book struct {
		ID int64 `json:"id"`
	}
	r, err := listquery.Define(listquery.Definition[book]{
		Name: "books", Table: "books", Key: "id", Visible: listquery.Personal("owner"), Where: squirrel.Expr(condition),
		Columns: []listquery.Column[book]{listquery.Col("id", func(b *book) *int64 { return &b.ID })},
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := listquery.NewStore(db, listquery.Config{Dialect: listquery.SQLite, Resources: []listquery.AnyResource{r}})
	if err != nil {
		t.Fatal(err)
	}
	f := scope.Filter{Resource: "books", Subject: "user-1", Personal: true, Limit: 5}
	return map[string]func(context.Context) error{
		"a page": func(ctx context.Context) error { _, _, err := s.List(ctx, f, nil); return err },
		"a row":  func(ctx context.Context) error { _, _, err := s.Get(ctx, f, "1"); return err },
	}
}

// What SQLite cannot answer now is unavailable, and what it cannot answer is not. Codes
// are the primary ones, see https://www.sqlite.org/rescode.html.
func TestTroubleOfSQLite(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		db     func(t *testing.T) listquery.Querier
		code   int
		passes bool
	}{
		"a writer that holds the file": {func(t *testing.T) listquery.Querier {
			file := shelf(t)
			exclusive(t, openShelf(t, file, ""), "BEGIN EXCLUSIVE")
			return openShelf(t, file, "_pragma=busy_timeout(0)")
		}, 5, true},
		"a file that is gone, and its directory": {func(t *testing.T) listquery.Querier {
			return openShelf(t, filepath.Join(t.TempDir(), "gone", "shelf.db"), "")
		}, 14, true},
		"a file that is none of a database": {func(t *testing.T) listquery.Querier {
			file := filepath.Join(t.TempDir(), "shelf.db")
			if err := os.WriteFile(file, make([]byte, 4096), 0o600); err != nil {
				t.Fatal(err)
			}
			return openShelf(t, file, "")
		}, 26, false},
		"no table": {func(t *testing.T) listquery.Querier {
			return openShelf(t, filepath.Join(t.TempDir(), "shelf.db"), "")
		}, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for what, read := range readsOfShelf(t, test.db(t), "true") {
				err := read(t.Context())
				var reported *sqlite.Error
				if !errors.As(err, &reported) || reported.Code()&0xff != test.code {
					t.Errorf("%s ends in %v, want the code %d", what, err, test.code)
				}
				if errors.Is(err, scope.ErrUnavailable) != test.passes {
					t.Errorf("%s ends in %v; it may pass: %v", what, err, test.passes)
				}
			}
		})
	}
}

// exclusive has a connection of its own begin a transaction that lasts as long as the test.
func exclusive(t *testing.T, db *sql.DB, begin string) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), begin); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.ExecContext(context.Background(), "ROLLBACK")
		conn.Close()
	})
}

// begun is told by a statement that it runs.
var begun = make(chan struct{}, 1)

func init() {
	sqlite.MustRegisterScalarFunction("tell_begun", 0, func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
		select {
		case begun <- struct{}{}:
		default:
		}
		return int64(1), nil
	})
}

// A statement that counts for longer than any test is interrupted by its caller alone.
func TestACallerInterruptsSQLite(t *testing.T) {
	t.Parallel()
	const counts = "tell_begun() + (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + tell_begun() FROM n LIMIT 1000000000000) SELECT count(*) FROM n) > 0"
	for what, read := range readsOfShelf(t, openShelf(t, shelf(t), ""), counts) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		select {
		case <-begun: // told by the read before this one, in each of its steps
		default:
		}
		go func() { done <- read(ctx) }()
		<-begun
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) || errors.Is(err, scope.ErrUnavailable) {
			t.Errorf("%s that the caller gives up ends in %v, want Canceled", what, err)
		}
	}
}
