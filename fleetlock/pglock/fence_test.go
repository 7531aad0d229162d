package pglock_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/pglock"
	"github.com/mosaicstack/fedkit/internal/pgtest"
)

// The table that the lock protects has a column for the highest token that it has seen.
const fencedTable = `CREATE TABLE deployment (
	name    text PRIMARY KEY,
	release text NOT NULL,
	fence   bigint NOT NULL DEFAULT 0
)`

var errLate = errors.New("somebody else has the lock by now")

// deploy writes under the token, unless the row has seen a higher one. To compare and to
// write is one statement.
func deploy(ctx context.Context, db *sql.DB, token uint64, name, release string) error {
	done, err := db.ExecContext(ctx,
		`UPDATE deployment SET release = $1, fence = $2 WHERE name = $3 AND fence <= $2`,
		release, int64(token), name)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(errLate, err)
	}
	return nil
}

func TestATableRefusesWhoLostTheLockAndDoesNotKnow(t *testing.T) {
	t.Parallel()
	db := open(t, pgtest.DSN(t), true)
	if _, err := db.Exec(fencedTable + `; INSERT INTO deployment VALUES ('web', '1')`); err != nil {
		t.Fatal(err)
	}
	register := newRegister(t, pglock.Config{DB: db})
	lock := fleetlock.On(register, "deploy", fleetlock.Lease(time.Minute))
	late, err := lock.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := deploy(t.Context(), db, late.Token(), "web", "2"); err != nil {
		t.Fatalf("the holder is refused: %v", err)
	}
	if err := lock.Break(t.Context(), late.Token(), "to see"); err != nil {
		t.Fatal(err)
	}
	next, err := lock.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer next.Release()
	if err := deploy(t.Context(), db, next.Token(), "web", "3"); err != nil {
		t.Fatalf("the next holder is refused: %v", err)
	}
	// Not under late.Context(), which would have stopped it: this one does not look.
	if err := deploy(t.Context(), db, late.Token(), "web", "2 again"); !errors.Is(err, errLate) {
		t.Errorf("who lost the lock deploys: %v", err)
	}
	var release string
	if err := db.QueryRow(`SELECT release FROM deployment`).Scan(&release); err != nil || release != "3" {
		t.Errorf("the release is %q, %v", release, err)
	}
}
