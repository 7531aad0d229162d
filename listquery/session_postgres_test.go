package listquery

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/Masterminds/squirrel"
	"github.com/lib/pq"

	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/scope"
)

// A preparations counts what is prepared on a database.
type preparations struct {
	*sql.DB
	mu    sync.Mutex
	count map[string]int
}

func (p *preparations) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	p.mu.Lock()
	p.count[query]++
	p.mu.Unlock()
	return p.DB.PrepareContext(ctx, query)
}

func (p *preparations) QueryContext(context.Context, string, ...any) (*sql.Rows, error) {
	return nil, errors.New("a statement was run that was not prepared")
}

// ownThings are a hundred things of user-1.
func ownThings(t *testing.T, where squirrel.Sqlizer) (*sql.DB, *Resource[thing], scope.Filter) {
	t.Helper()
	db := pgtest.Open(t)
	execute(t, db, `CREATE TABLE things (id uuid PRIMARY KEY, at timestamptz NOT NULL, n bigint NOT NULL, owner text);
		CREATE SEQUENCE written;
		INSERT INTO things SELECT md5('thing' || n)::uuid, '2026-01-01Z', n, 'user-1' FROM generate_series(1, 100) n`)
	d := thingDefinition(Personal("owner"))
	d.Where = where
	r, err := Define(d)
	if err != nil {
		t.Fatal(err)
	}
	return db, r, scope.Filter{Resource: "things", Subject: "user-1", Personal: true, Limit: 7}
}

func TestAPreparedStoreRunsWhatItPreparedByManyAtOnce(t *testing.T) {
	t.Parallel()
	db, r, f := ownThings(t, nil)
	counted := &preparations{DB: db, count: make(map[string]int)}
	s := storeWith(t, counted, Config{Prepared: true}, r)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				n := 0
				for _, err := range r.All(context.Background(), s, f) {
					if err != nil {
						t.Errorf("a prepared page failed: %v", err)
						return
					}
					n++
				}
				if n != 100 {
					t.Errorf("a prepared store lists %d of 100 rows", n)
				}
			}
		})
	}
	wg.Wait()
	if len(counted.count) != 2 {
		t.Errorf("%d statements were prepared, want the first page's and the others'", len(counted.count))
	}
	for query, n := range counted.count {
		if n > 8 {
			t.Errorf("8 goroutines prepared a statement %d times: %s", n, query)
		}
	}
}

// Postgres refuses a prepared statement once a column has another type: "cached plan must
// not change result type".
func TestAPreparedStoreGoesOnWhenAColumnHasAnotherType(t *testing.T) {
	t.Parallel()
	for _, readOnly := range []bool{false, true} {
		for _, connections := range []int{1, 4} {
			db, r, f := ownThings(t, nil)
			db.SetMaxOpenConns(connections)
			s := storeWith(t, db, Config{Prepared: true, ReadOnly: readOnly}, r)
			pages := func() {
				var wg sync.WaitGroup
				for range 4 {
					wg.Go(func() {
						for range 3 {
							if page, err := r.List(t.Context(), s, f, nil); err != nil || len(page.Items) != f.Limit {
								t.Errorf("read-only %v: a page has %d rows, %v", readOnly, len(page.Items), err)
							}
						}
					})
				}
				wg.Wait()
			}
			pages()
			execute(t, db, "ALTER TABLE things ALTER n TYPE numeric")
			pages()
			if n := preparedOn(t, db); connections == 1 && n != 2 {
				t.Errorf("read-only %v: the connection has %d prepared statements, want an old and a new one", readOnly, n)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if n := preparedOn(t, db); n != 0 {
				t.Errorf("read-only %v: after Close the connection has %d prepared statements", readOnly, n)
			}
		}
	}
}

func TestAClosedStoreHasNoPages(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{"prepared": {Prepared: true}, "not prepared": {}} {
		db, r, f := ownThings(t, nil)
		db.SetMaxOpenConns(1)
		s := storeWith(t, db, cfg, r)
		if _, err := r.List(t.Context(), s, f, nil); err != nil {
			t.Fatal(err)
		}
		if n := preparedOn(t, db); cfg.Prepared != (n > 0) {
			t.Errorf("%s: the connection has %d prepared statements", name, n)
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Errorf("%s: Close fails: %v", name, err)
			}
		}
		if page, err := r.List(t.Context(), s, f, nil); !errors.Is(err, ErrClosed) || page.Items != nil {
			t.Errorf("%s: a page of a closed store has %d rows, %v; want ErrClosed", name, len(page.Items), err)
		}
		if n := preparedOn(t, db); n != 0 {
			t.Errorf("%s: after Close the connection has %d prepared statements", name, n)
		}
	}
}

func preparedOn(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRow("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%things%'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAPageOfAReadOnlyStoreCannotWrite(t *testing.T) {
	t.Parallel()
	writes := squirrel.Expr("nextval('written') > 0")
	for _, prepared := range []bool{false, true} {
		db, r, f := ownThings(t, writes)
		if _, err := r.List(t.Context(), storeWith(t, db, Config{Prepared: prepared}, r), f, nil); err != nil {
			t.Fatal(err)
		}
		_, err := r.List(t.Context(), storeWith(t, db, Config{ReadOnly: true, Prepared: prepared}, r), f, nil)
		var refused *pq.Error
		if !errors.As(err, &refused) || refused.Code != "25006" { // read_only_sql_transaction
			t.Errorf("prepared %v: a page that writes in a read-only transaction: %v", prepared, err)
		}
		if inUse := db.Stats().InUse; inUse != 0 {
			t.Errorf("prepared %v: the refused page left %d connections in use", prepared, inUse)
		}
	}
}

func TestAStatementTimeoutIsTheDatabasesOwn(t *testing.T) {
	t.Parallel()
	sleeps := squirrel.Expr("(SELECT count(*) FROM pg_sleep(60)) = ?", 1)
	for _, prepared := range []bool{false, true} {
		db, r, f := ownThings(t, sleeps)
		db.SetMaxOpenConns(1)
		s := storeWith(t, db, Config{StatementTimeout: 100 * time.Millisecond, Prepared: prepared}, r)
		if _, err := r.List(t.Context(), s, f, nil); !errors.Is(err, scope.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("prepared %v: a page beyond its statement timeout: %v; want ErrUnavailable", prepared, err)
		}
		slow := storeWith(t, db, Config{StatementTimeout: time.Minute, Prepared: prepared}, r)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := r.List(ctx, slow, f, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("prepared %v: a page beyond the context's deadline: %v; want DeadlineExceeded", prepared, err)
		}
		cancel()
		var timeout string
		if err := db.QueryRow("SHOW statement_timeout").Scan(&timeout); err != nil || timeout != "0" {
			t.Errorf("prepared %v: the connection keeps the timeout %s, %v", prepared, timeout, err)
		}
	}
}

func TestASessionThatTheDatabaseCannotHaveIsRefused(t *testing.T) {
	resources, err := Standard(Schema{})
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("postgres", "") // which does not connect
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for name, test := range map[string]struct {
		db    Querier
		cfg   Config
		sound bool
	}{
		"statements that nobody prepares":  {noDatabase{}, Config{Dialect: Postgres, Prepared: true}, false},
		"transactions that nobody begins":  {noDatabase{}, Config{Dialect: Postgres, ReadOnly: true}, false},
		"a timeout without a transaction":  {noDatabase{}, Config{Dialect: Postgres, StatementTimeout: time.Second}, false},
		"a timeout that is negative":       {db, Config{Dialect: Postgres, StatementTimeout: -1}, false},
		"a timeout of a month":             {db, Config{Dialect: Postgres, StatementTimeout: 30 * 24 * time.Hour}, false},
		"read-only transactions of SQLite": {db, Config{Dialect: SQLite, ReadOnly: true}, false},
		"a timeout of SQLite":              {db, Config{Dialect: SQLite, StatementTimeout: time.Second}, false},
		"all of it where it can be had":    {db, Config{Dialect: Postgres, Prepared: true, ReadOnly: true, StatementTimeout: 24 * 24 * time.Hour}, true},
	} {
		test.cfg.Resources = resources
		if _, err := NewStore(test.db, test.cfg); (err == nil) != test.sound {
			t.Errorf("NewStore says %v of %s", err, name)
		}
	}
}
