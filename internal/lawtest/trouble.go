package lawtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/Masterminds/squirrel"

	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/listquery"
	"github.com/mosaicstack/fedkit/scope"
)

// Trouble brings about what a server of Postgres can get into under a page, and tells
// whether the store says of it what a host has to know: that the database cannot answer
// now, or that it cannot answer this. Connect opens a pool through the driver under test.
//
// Nothing here waits for a time to pass: a statement that is to be struck sleeps for
// longer than any test, and is struck once the server shows that it runs.
func Trouble(t *testing.T, connect func(t *testing.T, dsn string) *sql.DB) {
	tr := newTroubled(t, connect)
	// The server goes down in the last one. All have it for themselves.
	for _, c := range []struct {
		name string
		run  func(t *testing.T, tr *troubled)
	}{
		{"each state that the server can report", eachState},
		{"a connection that an operator ends under a statement", ended},
		{"no connection left", noConnection},
		{"a statement timeout", timedOut},
		{"a lock timeout", lockedOut},
		{"a deadlock", deadlocked},
		{"a transaction that cannot be serialized", unserializable},
		{"a transaction that was idle for too long", idle},
		{"a caller that gives up", givenUp},
		{"a server that goes down under a statement", stopped},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, tr) })
	}
}

// A troubled server has a table of one row, and a way to sleep under a page of it.
type troubled struct {
	cluster *pgtest.Cluster
	connect func(t *testing.T, dsn string) *sql.DB
	admin   *sql.DB // is not used by what is tested
}

func newTroubled(t *testing.T, connect func(t *testing.T, dsn string) *sql.DB) *troubled {
	tr := &troubled{cluster: pgtest.NewCluster(t), connect: connect}
	tr.admin = connect(t, tr.cluster.DSN())
	tr.exec(t, `CREATE TABLE documents (id bigint PRIMARY KEY, owner text NOT NULL, state text NOT NULL DEFAULT '');
		CREATE TABLE others (id bigint PRIMARY KEY);
		INSERT INTO documents VALUES (1, 'user-1');
		CREATE FUNCTION trouble(state text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS
			$$ BEGIN IF state <> '' THEN RAISE EXCEPTION 'canary' USING ERRCODE = state; END IF; RETURN true; END $$;
		CREATE ROLE single LOGIN CONNECTION LIMIT 1;
		GRANT SELECT ON documents TO single`)
	return tr
}

func (tr *troubled) exec(t *testing.T, statement string) {
	t.Helper()
	if _, err := tr.admin.Exec(statement); err != nil {
		t.Fatalf("%v in %s", err, statement)
	}
}

// dsn is that of the server, with parameters in pairs.
func (tr *troubled) dsn(t *testing.T, parameters ...string) string {
	t.Helper()
	u, err := url.Parse(tr.cluster.DSN())
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for i := 0; i < len(parameters); i += 2 {
		q.Set(parameters[i], parameters[i+1])
	}
	u.RawQuery = q.Encode()
	return u.String()
}

const (
	sleeps  = "(SELECT count(*) FROM pg_sleep(600)) = 1"
	answers = "true"
)

type troubledRow struct {
	ID int64 `json:"id"`
}

// pages reads documents of user-1 under a condition: as a page, and as a row.
func (tr *troubled) pages(t *testing.T, db listquery.Querier, condition string) map[string]func(context.Context) error {
	t.Helper()
	r, err := listquery.Define(listquery.Definition[troubledRow]{
		Name: "documents", Table: "documents", Key: "id", Visible: listquery.Personal("owner"), Where: squirrel.Expr(condition),
		Columns: []listquery.Column[troubledRow]{listquery.Col("id", func(d *troubledRow) *int64 { return &d.ID })},
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := listquery.NewStore(db, listquery.Config{Dialect: listquery.Postgres, Resources: []listquery.AnyResource{r}})
	if err != nil {
		t.Fatal(err)
	}
	f := scope.Filter{Resource: "documents", Subject: "user-1", Personal: true, Limit: 5}
	return map[string]func(context.Context) error{
		"a page": func(ctx context.Context) error {
			rows, next, err := s.List(ctx, f, nil)
			if err != nil && (rows != nil || next != nil) {
				t.Errorf("an error comes with %d rows, next %v: %v", len(rows), next, err)
			}
			return err
		},
		"a row": func(ctx context.Context) error {
			row, found, err := s.Get(ctx, f, "1")
			if err != nil && (found || row != nil) {
				t.Errorf("an error comes with the row %s: %v", row, err)
			}
			return err
		},
	}
}

// unavailable expects an error that says to ask again later, and nothing of the caller's.
func unavailable(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, scope.ErrUnavailable) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%s ends in %v, which is not scope.ErrUnavailable alone", what, err)
	}
}

// works expects the next page to come, without anybody touching the pool.
func (tr *troubled) works(t *testing.T, db *sql.DB) {
	t.Helper()
	for what, read := range tr.pages(t, db, answers) {
		if err := read(t.Context()); err != nil {
			t.Errorf("after the trouble, %s fails: %v", what, err)
		}
	}
	if inUse := db.Stats().InUse; inUse != 0 {
		t.Errorf("the trouble left %d connections in use", inUse)
	}
}

// eachState has the server report states of its own accord, see appendix A of the
// PostgreSQL manual. Whoever maps a class by its first letter, or all of it by one of its
// states, fails here.
func eachState(t *testing.T, tr *troubled) {
	db := tr.connect(t, tr.dsn(t))
	for state, passes := range map[string]bool{
		"08000": true, "08001": true, "08003": true, "08006": true, "08P01": true, // connection exception
		"53000": true, "53100": true, "53200": true, "53300": true, "53400": true, // insufficient resources
		"57P01": true, "57P02": true, "57P03": true, "57P04": true, "57P05": true, "57014": true, // operator intervention
		"58000": true, "58030": true, "58P01": true, // system error
		"55P03": true, "25P03": true, "25P04": true, // locks and idle or long transactions
		"40001": true, "40P01": true, "40003": true, // transaction rollback

		"57000": false, "55000": false, "55006": false, "25006": false, "25P02": false, "0A000": false,
		"22012": false, "22P02": false, "23505": false, "28000": false, "42501": false, "42703": false, "42P01": false,
		"54000": false, "54001": false, "P0001": false, "XX000": false, "XX001": false, "80000": false, "05300": false,
	} {
		for what, read := range tr.pages(t, db, "trouble('"+state+"')") {
			err := read(t.Context())
			var reported interface{ SQLState() string }
			if !errors.As(err, &reported) || reported.SQLState() != state {
				t.Errorf("%s that meets the state %s ends in %v, without it", what, state, err)
			}
			if got := errors.Is(err, scope.ErrUnavailable); got != passes {
				t.Errorf("%s that meets the state %s is unavailable: %v; it may pass: %v", what, state, got, passes)
			}
		}
	}
	tr.works(t, db)
}

// struck runs a read and strikes whenever the server shows that it runs: a pool tries
// again, on another connection, what an ended one did not answer.
func (tr *troubled) struck(t *testing.T, read func(context.Context) error, strike func()) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- read(context.WithoutCancel(t.Context())) }()
	var err error
	strikes := 0
	await(t, "the end of a statement that was struck", func() bool {
		select {
		case err = <-done:
			return true
		default:
		}
		// Once it was struck, the server may be down.
		if n, asked := tr.running("PgSleep"); asked == nil && n > 0 {
			strike()
			strikes++
		}
		return false
	})
	if strikes == 0 {
		t.Errorf("a statement ended before it was struck: %v", err)
	}
	return err
}

// running is how many statements wait for an event.
func (tr *troubled) running(event string) (n int, err error) {
	err = tr.admin.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE wait_event = $1", event).Scan(&n)
	return n, err
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come in a minute", what)
		}
	}
}

func ended(t *testing.T, tr *troubled) {
	db := tr.connect(t, tr.dsn(t))
	for what, read := range tr.pages(t, db, sleeps) {
		unavailable(t, what+" whose connection is ended", tr.struck(t, read, func() {
			tr.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
		}))
		unavailable(t, what+" that is cancelled by an operator", tr.struck(t, read, func() {
			tr.exec(t, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
		}))
	}
	tr.works(t, db)
}

// noConnection has a pool of a role that may have one connection, and takes it.
func noConnection(t *testing.T, tr *troubled) {
	u, err := url.Parse(tr.dsn(t))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User("single")
	db := tr.connect(t, u.String())
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for what, read := range tr.pages(t, db, answers) {
		err := read(t.Context())
		unavailable(t, what+" without a connection", err)
		var reported interface{ SQLState() string }
		if !errors.As(err, &reported) || reported.SQLState() != "53300" { // too_many_connections
			t.Errorf("%s without a connection ends in %v, want 53300", what, err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	tr.works(t, db)
}

func timedOut(t *testing.T, tr *troubled) {
	db := tr.connect(t, tr.dsn(t, "statement_timeout", "20"))
	for what, read := range tr.pages(t, db, sleeps) {
		unavailable(t, what+" beyond its statement timeout", read(t.Context()))
	}
}

func lockedOut(t *testing.T, tr *troubled) {
	db := tr.connect(t, tr.dsn(t, "lock_timeout", "20"))
	tx := tr.begin(t, tr.admin, nil)
	tr.in(t, tx, "LOCK TABLE documents IN ACCESS EXCLUSIVE MODE")
	for what, read := range tr.pages(t, db, answers) {
		unavailable(t, what+" of a table that somebody changes", read(t.Context()))
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	tr.works(t, db)
}

func (tr *troubled) begin(t *testing.T, db *sql.DB, o *sql.TxOptions) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(context.WithoutCancel(t.Context()), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() }) // which is over already, unless the test failed
	return tx
}

func (tr *troubled) in(t *testing.T, tx *sql.Tx, statement string) {
	t.Helper()
	if _, err := tx.Exec(statement); err != nil {
		t.Fatalf("%v in %s", err, statement)
	}
}

// deadlocked reads in a transaction of the host's, P, as another one, Q, changes tables:
//
//	P                      Q
//	locks others
//	                       locks documents
//	                       wants others
//	wants a page
//
// The server finds that out for P first, since Q would look for a deadlock later.
func deadlocked(t *testing.T, tr *troubled) {
	for _, what := range []string{"a page", "a row"} {
		db := tr.connect(t, tr.dsn(t, "deadlock_timeout", "20"))
		p, q := tr.begin(t, db, nil), tr.begin(t, tr.admin, nil)
		tr.in(t, p, "LOCK TABLE others IN ACCESS SHARE MODE")
		tr.in(t, q, "SET LOCAL deadlock_timeout = '10min'")
		tr.in(t, q, "LOCK TABLE documents IN ACCESS EXCLUSIVE MODE")
		done := make(chan error, 1)
		go func() {
			_, err := q.Exec("LOCK TABLE others IN ACCESS EXCLUSIVE MODE")
			done <- err
		}()
		await(t, "a transaction that waits", func() bool { n, err := tr.running("relation"); return err == nil && n > 0 })
		unavailable(t, what+" in a deadlock", tr.pages(t, p, answers)[what](t.Context()))
		p.Rollback()
		if err := <-done; err != nil {
			t.Errorf("the other transaction of a deadlock fails: %v", err)
		}
		q.Rollback()
	}
}

// unserializable reads in a transaction, P, that cannot stand before the other one, nor
// behind it:
//
//	P                      Q
//	reads others
//	                       reads documents
//	writes documents
//	                       writes others
//	                       commits
//	wants a page
func unserializable(t *testing.T, tr *troubled) {
	for i, what := range []string{"a page", "a row"} {
		serializable := &sql.TxOptions{Isolation: sql.LevelSerializable}
		p, q := tr.begin(t, tr.connect(t, tr.dsn(t)), serializable), tr.begin(t, tr.admin, serializable)
		tr.in(t, p, "SELECT count(*) FROM others")
		tr.in(t, q, "SELECT count(*) FROM documents")
		tr.in(t, p, fmt.Sprintf("INSERT INTO documents VALUES (%d, 'user-2')", 100+i))
		tr.in(t, q, fmt.Sprintf("INSERT INTO others VALUES (%d)", i))
		if err := q.Commit(); err != nil {
			t.Fatal(err)
		}
		unavailable(t, what+" that cannot be serialized", tr.pages(t, p, answers)[what](t.Context()))
		p.Rollback()
	}
}

// idle reads in a transaction of the host's that the server has ended meanwhile.
func idle(t *testing.T, tr *troubled) {
	for _, what := range []string{"a page", "a row"} {
		db := tr.connect(t, tr.dsn(t, "application_name", "idle"))
		tx := tr.begin(t, db, nil)
		tr.in(t, tx, "SET LOCAL idle_in_transaction_session_timeout = 20") // from here, not from BEGIN
		await(t, "the end of an idle transaction", func() bool {
			var n int
			if err := tr.admin.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'idle'").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n == 0
		})
		unavailable(t, what+" in a transaction that has ended", tr.pages(t, tx, answers)[what](t.Context()))
		tx.Rollback()
	}
}

// givenUp must say what the caller did, and not what the server said then.
func givenUp(t *testing.T, tr *troubled) {
	db := tr.connect(t, tr.dsn(t))
	for what, read := range tr.pages(t, db, sleeps) {
		ctx, cancel := context.WithCancel(t.Context())
		err := tr.struck(t, func(context.Context) error { return read(ctx) }, cancel)
		if !errors.Is(err, context.Canceled) || errors.Is(err, scope.ErrUnavailable) {
			t.Errorf("%s that the caller gives up ends in %v, want Canceled", what, err)
		}
		await(t, "the end of what nobody waits for", func() bool { n, err := tr.running("PgSleep"); return err == nil && n == 0 })
	}
	tr.works(t, db)
}

func stopped(t *testing.T, tr *troubled) {
	for _, what := range []string{"a page", "a row"} {
		db := tr.connect(t, tr.dsn(t))
		unavailable(t, what+" of a server that goes down", tr.struck(t, tr.pages(t, db, sleeps)[what], func() { tr.cluster.Stop(t) }))
		unavailable(t, what+" of a server that is down", tr.pages(t, db, answers)[what](t.Context()))
		tr.cluster.Start(t)
		tr.works(t, db)
	}
}
