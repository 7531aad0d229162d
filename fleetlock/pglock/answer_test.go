package pglock_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lib/pq"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/pglock"
	"github.com/mosaicstack/fedkit/internal/pgtest"
)

// A dialer makes connections that break while the server says that it has committed.
type dialer struct {
	lost *atomic.Int64
	err  error // that they break with
}

func (d dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

func (d dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	return losing{c, d}, err
}

type losing struct {
	net.Conn
	by dialer
}

// Read loses every answer to a statement that has written.
func (c losing) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	for _, tag := range []string{"UPDATE 1\x00", "INSERT 0 1\x00"} {
		if bytes.Contains(b[:n], []byte(tag)) {
			c.by.lost.Add(1)
			_ = c.Conn.Close()
			return 0, c.by.err
		}
	}
	return n, err
}

// losingRegister returns a register whose connections break with an error, and how often
// they have.
func losingRegister(t *testing.T, dsn string, err error) (*pglock.Register, *atomic.Int64) {
	t.Helper()
	connector, dsnErr := pq.NewConnector(dsn)
	if dsnErr != nil {
		t.Fatal(dsnErr)
	}
	lost := new(atomic.Int64)
	connector.Dialer(dialer{lost, err})
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	return pglock.Unchecked(pglock.Config{DB: db}), lost // the check of New would not get through
}

func TestAnAnswerThatIsLostAfterTheCommitIsFoundOut(t *testing.T) {
	t.Parallel()
	const lease = time.Minute // so long that the grant and its check do not take half of it
	dsn := pgtest.DSN(t)
	whole := newRegister(t, pglock.Config{DB: open(t, dsn, true)})
	broken, lost := losingRegister(t, dsn, errors.New("the connection broke"))

	lock, last := fleetlock.On(broken, "a", fleetlock.Lease(lease)), uint64(0)
	for round := range 3 {
		began, before := time.Now(), lost.Load()
		held, err := lock.Acquire(t.Context())
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if took := time.Since(began); took > lease/2 {
			t.Errorf("round %d: the grant took %v, as if it had to wait for the end of one of its own", round, took)
		}
		if held.Token() <= last {
			t.Errorf("round %d: token %d was granted after %d", round, held.Token(), last)
		}
		last = held.Token()
		if lost.Load() == before {
			t.Errorf("round %d: no answer was lost", round)
		}
		if err := held.Err(); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		if err := held.Release(); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
	}
	next, err := fleetlock.On(whole, "a", fleetlock.Lease(lease)).TryAcquire(t.Context())
	if err != nil {
		t.Fatalf("after releases whose answers were lost: %v", err)
	}
	if err := next.Release(); err != nil {
		t.Error(err)
	}
}

func TestAStatementThatIsCancelledEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t)
	db := open(t, dsn, true)
	register := newRegister(t, pglock.Config{DB: db})
	held, err := fleetlock.On(register, "a", fleetlock.Lease(time.Minute)).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.Exec("SELECT * FROM fleetlock FOR UPDATE"); err != nil { // somebody's, by hand
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	// Without a context it would take a quarter of the lease.
	err = fleetlock.On(register, "a", fleetlock.Lease(time.Hour)).Break(ctx, held.Token(), "to see")
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > patience {
		t.Errorf("after %v the error is %v", took, err)
	}
}
