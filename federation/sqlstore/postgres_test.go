package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"

	"github.com/mosaicstack/fedkit/federation/auditsql"
	"github.com/mosaicstack/fedkit/federation/enroll"
	"github.com/mosaicstack/fedkit/federation/enroll/enrolltest"
	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/grants/grantstest"
	"github.com/mosaicstack/fedkit/federation/sqlstore"
	"github.com/mosaicstack/fedkit/internal/pgtest"
	"github.com/mosaicstack/fedkit/scope"
)

// openPostgres returns a pool on a schema with the tables.
func openPostgres(t testing.TB) *sql.DB {
	t.Helper()
	db := pgtest.Open(t)
	statements, err := sqlstore.DDL(sqlstore.Postgres, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("Postgres refuses %s: %v", statement, err)
		}
	}
	return db
}

func newGrants(t testing.TB, db *sql.DB) *sqlstore.Grants {
	t.Helper()
	store, err := sqlstore.NewGrants(t.Context(), sqlstore.Config{DB: db, Dialect: sqlstore.Postgres})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func newPrepared(t testing.TB, db *sql.DB) *sqlstore.Grants {
	t.Helper()
	store, err := sqlstore.NewGrants(t.Context(), sqlstore.Config{DB: db, Dialect: sqlstore.Postgres, Prepared: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("the store does not close: %v", err)
		}
	})
	return store
}

func TestPostgresIsAStoreOfGrants(t *testing.T) {
	t.Parallel()
	grantstest.Run(t, func(t *testing.T) grantstest.Store { return newGrants(t, openPostgres(t)) })
}

func TestPreparedLookUpsAreAStoreOfGrants(t *testing.T) {
	t.Parallel()
	grantstest.Run(t, func(t *testing.T) grantstest.Store { return newPrepared(t, openPostgres(t)) })
}

// Grants and the audit of their changes in one database, where the audit is a table that
// the gateway may only insert into.
func TestChangesOfGrantsAreAuditedInPostgres(t *testing.T) {
	t.Parallel()
	db := openPostgres(t)
	ddl, err := auditsql.DDL(auditsql.Config{Dialect: auditsql.Postgres})
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range ddl {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	auditor, err := auditsql.New(db, auditsql.Config{Dialect: auditsql.Postgres})
	if err != nil {
		t.Fatal(err)
	}
	registrar, err := grants.NewRegistrar(grants.Config{
		Store: newGrants(t, db), Registry: scope.Standard(), Auditor: auditor, AuditTimeout: time.Minute,
		Actor: func(context.Context) string { return "ops" },
	})
	if err != nil {
		t.Fatal(err)
	}
	terms := grants.Terms{
		ID: "g", Peer: "peer-1", Subject: "user-1", Expires: time.Now().Add(time.Hour),
		Scope: []byte(`{"resources":["tasks"],"max_rows_per_query":50}`),
	}
	if _, err := registrar.Create(t.Context(), terms); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("ALTER TABLE federation_audit RENAME TO gone"); err != nil {
		t.Fatal(err)
	}
	if _, err := registrar.Activate(t.Context(), "g", 1, grants.Pin{Issuer: [32]byte{1}}); !errors.Is(err, grants.ErrUnaudited) {
		t.Errorf("without the table an activation ends in %v", err)
	}
	if g, err := registrar.Revoke(t.Context(), "g"); !errors.Is(err, grants.ErrUnaudited) || g.Status != grants.Revoked {
		t.Errorf("without the table a revocation ends in %s, %v", g.Status, err)
	}
	if _, err := db.Exec("ALTER TABLE gone RENAME TO federation_audit"); err != nil {
		t.Fatal(err)
	}
	if _, err := registrar.Revoke(t.Context(), "g"); err != nil {
		t.Fatal(err)
	}
	var said string
	err = db.QueryRow(`SELECT string_agg(concat_ws(' ', actor, verb, grant_id, revision, code), ', ' ORDER BY id)
		FROM federation_audit`).Scan(&said)
	if want := "ops create g 1 intended, ops create g 1 ok, ops revoke g 2 unchanged"; err != nil || said != want {
		t.Errorf("the audit says %q, %v, want %q", said, err, want)
	}
}

func TestPostgresIsAStoreOfTickets(t *testing.T) {
	t.Parallel()
	enrolltest.Run(t, func(t *testing.T) enroll.Tickets {
		db := openPostgres(t)
		if err := newGrants(t, db).Insert(t.Context(), grantstest.New("g")); err != nil {
			t.Fatal(err)
		}
		tickets, err := sqlstore.NewTickets(t.Context(), sqlstore.Config{DB: db, Dialect: sqlstore.Postgres})
		if err != nil {
			t.Fatal(err)
		}
		return tickets
	})
}

func TestATableThatIsNotThereIsFoundAtTheStart(t *testing.T) {
	t.Parallel()
	db := openPostgres(t)
	for name, spoil := range map[string]string{
		"a column is missing": "ALTER TABLE federation_grants DROP COLUMN old_pin",
		"there is no table":   "ALTER TABLE federation_grants RENAME TO grants",
	} {
		t.Run(name, func(t *testing.T) {
			db := openPostgres(t)
			if _, err := db.Exec(spoil); err != nil {
				t.Fatal(err)
			}
			if _, err := sqlstore.NewGrants(t.Context(), sqlstore.Config{DB: db, Dialect: sqlstore.Postgres}); err == nil {
				t.Error("a store is made all the same")
			}
		})
	}
	if _, err := db.Exec("ALTER TABLE federation_tickets DROP COLUMN used"); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlstore.NewTickets(t.Context(), sqlstore.Config{DB: db, Dialect: sqlstore.Postgres}); err == nil {
		t.Error("a store of tickets without a column is made all the same")
	}
	for name, cfg := range map[string]sqlstore.Config{
		"there is no pool":          {Dialect: sqlstore.Postgres},
		"there is no dialect":       {DB: db},
		"the schema is no name":     {DB: db, Dialect: sqlstore.Postgres, Schema: `public"; DROP TABLE x; --`},
		"the schema does not exist": {DB: db, Dialect: sqlstore.Postgres, Schema: "no_such_schema"},
	} {
		if _, err := sqlstore.NewGrants(t.Context(), cfg); err == nil {
			t.Errorf("%s, and a store is made all the same", name)
		}
		if _, err := sqlstore.NewTickets(t.Context(), cfg); err == nil {
			t.Errorf("%s, and a store of tickets is made all the same", name)
		}
	}
}

func TestATableMayStandInASchemaOfTheHost(t *testing.T) {
	t.Parallel()
	schema, dsn := pgtest.Schema(t)
	dsn = strings.Replace(dsn, "search_path="+schema, "search_path=pg_catalog", 1)
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	statements, err := sqlstore.DDL(sqlstore.Postgres, schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("Postgres refuses %s: %v", statement, err)
		}
	}
	store, err := sqlstore.NewGrants(t.Context(), sqlstore.Config{DB: db, Dialect: sqlstore.Postgres, Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	want := grantstest.New("a")
	if err := store.Insert(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Get(t.Context(), "a"); err != nil || got != want {
		t.Errorf("stored is %+v, %v", got, err)
	}
}

// The database refuses by itself what would be a hole, whoever writes it.
func TestTheTableRefusesWhatIsNoGrant(t *testing.T) {
	t.Parallel()
	db := openPostgres(t)
	if err := newGrants(t, db).Insert(t.Context(), grantstest.New("a")); err != nil {
		t.Fatal(err)
	}
	for _, set := range []string{
		"status = 'Active'", "status = NULL", "status = 'active', pin = '', old_pin = ''", "pin = ''",
		"expires = not_before", "expires = NULL", "subject = ''", "peer = ''", "scope = ''", "revision = 0",
	} {
		var refused *pq.Error
		if _, err := db.Exec("UPDATE federation_grants SET " + set); !errors.As(err, &refused) || refused.Code.Class() != "23" {
			t.Errorf("SET %s ends in %v, want a violated constraint", set, err)
		}
	}
}

func TestARowThatCannotBeUnderstoodIsAnError(t *testing.T) {
	t.Parallel()
	db := openPostgres(t)
	store := newGrants(t, db)
	if err := store.Insert(t.Context(), grantstest.New("a")); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("UPDATE federation_grants SET pin = 'AB:*'"); err != nil {
		t.Fatal(err)
	}
	_, err := store.Get(t.Context(), "a")
	if err == nil || errors.Is(err, grants.ErrNotFound) {
		t.Errorf("a grant with a broken pin is read with %v, want an error of its own", err)
	}
	if page, err := store.List(t.Context(), "", 10); err == nil {
		t.Errorf("a grant with a broken pin is listed: %+v", page)
	}
}

func TestADatabaseThatIsDownIsNotAGrantThatIsUnknown(t *testing.T) {
	t.Parallel()
	db := openPostgres(t)
	store, prepared := newGrants(t, db), newPrepared(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func() error{
		"Get":             func() error { _, err := store.Get(ctx, "a"); return err },
		"Find":            func() error { _, err := store.Find(ctx, "grant:a"); return err },
		"a prepared Get":  func() error { _, err := prepared.Get(ctx, "a"); return err },
		"a prepared Find": func() error { _, err := prepared.Find(ctx, "grant:a"); return err },
		"List":            func() error { _, err := store.List(ctx, "", 1); return err },
		"Insert":          func() error { return store.Insert(ctx, grantstest.New("a")) },
		"Replace":         func() error { return store.Replace(ctx, grantstest.New("a")) },
	} {
		err := call()
		if err == nil || errors.Is(err, grants.ErrNotFound) || errors.Is(err, grants.ErrExists) || errors.Is(err, grants.ErrConflict) {
			t.Errorf("%s without a database ends in %v", name, err)
		}
	}
}
