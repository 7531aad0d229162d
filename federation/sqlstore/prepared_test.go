package sqlstore_test

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/mosaicstack/fedkit/federation/grants"
	"github.com/mosaicstack/fedkit/federation/grants/grantstest"
	"github.com/mosaicstack/fedkit/federation/sqlstore"
)

// preparedOn counts what the only connection of a pool has prepared.
func preparedOn(tb testing.TB, db *sql.DB) (n int) {
	tb.Helper()
	if err := db.QueryRow("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%federation_grants%'").Scan(&n); err != nil {
		tb.Fatal(err)
	}
	return n
}

// A pooler that hands out connections by the transaction has no prepared statements, so
// there are none unless the host asks for them.
func TestLookUpsArePreparedOnlyWhereTheHostAsksForIt(t *testing.T) {
	t.Parallel()
	db := openPostgres(t)
	db.SetMaxOpenConns(1)
	plain := newGrants(t, db)
	if err := plain.Insert(t.Context(), grantstest.New("a")); err != nil {
		t.Fatal(err)
	}
	read := func(name string, store *sqlstore.Grants) {
		t.Helper()
		for range 3 {
			byID, err := store.Get(t.Context(), "a")
			byCredential, err2 := store.Find(t.Context(), "grant:a")
			if err != nil || err2 != nil || byID != grantstest.New("a") || byCredential != byID {
				t.Fatalf("%s: the grant is %+v, %v, and by its credential %+v, %v", name, byID, err, byCredential, err2)
			}
		}
	}
	read("not prepared", plain)
	if n := preparedOn(t, db); n != 0 {
		t.Errorf("without Config.Prepared %d statements are prepared", n)
	}
	prepared := newPrepared(t, db)
	read("prepared", prepared)
	if n := preparedOn(t, db); n != 2 {
		t.Errorf("with Config.Prepared %d statements are prepared, want 2", n)
	}
	for range 2 {
		if err := errors.Join(plain.Close(), prepared.Close()); err != nil {
			t.Errorf("Close fails: %v", err)
		}
	}
	if n := preparedOn(t, db); n != 0 {
		t.Errorf("after Close %d statements are prepared", n)
	}
	read("not prepared, and closed", plain)
	if g, err := prepared.Find(t.Context(), "grant:a"); err == nil || errors.Is(err, grants.ErrNotFound) || g != (grants.Grant{}) {
		t.Errorf("a closed store finds %+v, %v", g, err)
	}
}

// What another process has stored is found by the next look-up, prepared or not.
func TestAPreparedLookUpSeesARevocation(t *testing.T) {
	t.Parallel()
	db := openPostgres(t)
	store, other := newPrepared(t, db), newGrants(t, db)
	g := grantstest.New("a")
	if err := other.Insert(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	for range 10 { // Postgres may change its plan after five
		if found, err := store.Find(t.Context(), g.Credential); err != nil || found != g {
			t.Fatalf("the grant is %+v, %v", found, err)
		}
	}
	g.Revision, g.Status = g.Revision+1, grants.Revoked
	if err := other.Replace(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	if found, err := store.Find(t.Context(), g.Credential); err != nil || found.Status != grants.Revoked {
		t.Errorf("after its revocation the grant is %+v, %v", found, err)
	}
}

// Without its table nothing can be prepared, and the constructor says so.
func TestWhatCannotBePreparedIsFoundAtTheStart(t *testing.T) {
	t.Parallel()
	db := openPostgres(t)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := sqlstore.Config{DB: db, Dialect: sqlstore.Postgres, Prepared: true}
	if store, err := sqlstore.NewGrants(t.Context(), cfg); err == nil || store != nil {
		t.Errorf("over a pool that is closed there is %v, %v", store, err)
	}
}

// BenchmarkFind is the look-up of a grant, of which a page makes two.
func BenchmarkFind(b *testing.B) {
	db := openPostgres(b)
	db.SetMaxIdleConns(2)
	plain := newGrants(b, db)
	if err := plain.Insert(b.Context(), grantstest.New("a")); err != nil {
		b.Fatal(err)
	}
	for name, store := range map[string]*sqlstore.Grants{"plain": plain, "prepared": newPrepared(b, db)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := store.Find(b.Context(), "grant:a"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
