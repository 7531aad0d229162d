package pglock_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"testing"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/pglock"
	"github.com/mosaicstack/fedkit/internal/pgtest"
)

// A book is the record of a lock as a register has it.
type book struct {
	*pglock.Register
	db   *sql.DB
	seen uint64
}

// swap has the register swap the record that was seen last.
func (b *book) swap(ctx context.Context) (err error) {
	version, err := b.Swap(ctx, "a", b.seen, fleetlock.Record{Token: 1, Text: `{}`, Quiet: true})
	if err == nil {
		b.seen = version
	}
	return err
}

// mustLoad fails the test unless a load writes, which waits for a synchronous standby, or
// does not.
func (b *book) mustLoad(t *testing.T, writing bool, when string) {
	t.Helper()
	var before, after string
	row := func(by *string) error { return b.db.QueryRow("SELECT xmin FROM fleetlock").Scan(by) }
	err := row(&before)
	got, loadErr := b.Load(t.Context(), "a")
	if err := errors.Join(err, loadErr, row(&after)); err != nil {
		t.Fatal(err)
	}
	b.seen = got.Version
	if writes := before != after; writes != writing {
		t.Errorf("%s: it is %v that a load writes", when, writes)
	}
}

func TestALoadWritesAsLongAsASwapWithoutAnAnswerMayBeMade(t *testing.T) {
	t.Parallel()
	db := open(t, pgtest.DSN(t), true)
	b := &book{Register: newRegister(t, pglock.Config{DB: db}), db: db}
	if err := b.swap(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.mustLoad(t, false, "after a swap")
	ended, end := context.WithCancel(t.Context())
	end()
	if err := b.swap(ended); !errors.Is(err, context.Canceled) {
		t.Fatalf("a swap whose context has ended answers %v", err)
	}
	b.mustLoad(t, true, "after a swap without an answer")
	b.mustLoad(t, true, "as long as it may be made yet")
	if err := b.swap(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.mustLoad(t, true, "when another swap has been made")
	b.mustLoad(t, false, "when it is known that the first one cannot be made any more")
}

func TestALoadWritesAfterAStatementThatWasSentTwice(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t)
	db := open(t, dsn, true)
	whole := &book{Register: newRegister(t, pglock.Config{DB: db}), db: db}
	losing, lost := losingRegister(t, dsn, io.EOF)
	b := &book{Register: losing, db: db}
	if err := whole.swap(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.swap(t.Context()); !errors.Is(err, fleetlock.ErrChanged) {
		t.Fatalf("a swap of another version answers %v", err)
	}
	b.mustLoad(t, false, "after a swap of another version")
	if err := b.swap(t.Context()); !errors.Is(err, fleetlock.ErrChanged) || lost.Load() != 1 {
		t.Fatalf("a swap that was sent again, after it was made, answers %v", err)
	}
	b.mustLoad(t, true, "after a swap that was made and sent again")
	b.mustLoad(t, false, "after it was found")
}
