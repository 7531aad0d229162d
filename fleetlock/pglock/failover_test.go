package pglock_test

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/lib/pq"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/pglock"
	"github.com/mosaicstack/fedkit/internal/pgtest"
)

// A pair is a primary and its standby.
type pair struct {
	primary, standby *pgtest.Cluster
	either           *sql.DB // whichever takes writes
}

// startPair returns a primary with the table and a standby, which each commit waits for if
// the settings of the primary say so.
func startPair(t *testing.T, settings ...string) pair {
	t.Helper()
	p := pair{primary: pgtest.NewCluster(t)}
	db := open(t, p.primary.DSN(), true)
	p.standby = p.primary.NewStandby(t)
	p.either = open(t, pgtest.PrimaryDSN(p.primary, p.standby), false)
	await(t, p.primary, "the standby follows", `SELECT count(*) > 0 FROM pg_stat_replication WHERE state = 'streaming'`)
	configure(t, db, settings...)
	return p
}

// startSynchronousPair has the primary wait until what a commit wrote is on the standby.
func startSynchronousPair(t *testing.T) pair {
	t.Helper()
	p := startPair(t, "synchronous_commit = on", "synchronous_standby_names = '*'")
	await(t, p.primary, "the standby is synchronous", `SELECT count(*) > 0 FROM pg_stat_replication WHERE sync_state = 'sync'`)
	return p
}

func configure(t *testing.T, db *sql.DB, settings ...string) {
	t.Helper()
	for _, setting := range settings {
		if _, err := db.Exec("ALTER SYSTEM SET " + setting); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec("SELECT pg_reload_conf()"); err != nil {
		t.Fatal(err)
	}
}

// part cuts the standby off: what the primary commits from now on does not get there.
func (p pair) part(t *testing.T) {
	t.Helper()
	configure(t, open(t, p.standby.DSN(), false), "primary_conninfo = ''")
	await(t, p.standby, "the standby is cut off", `SELECT count(*) = 0 FROM pg_stat_wal_receiver`)
}

func (p pair) failOver(t *testing.T) {
	t.Helper()
	p.primary.Kill(t)
	p.standby.Promote(t)
}

func await(t *testing.T, server *pgtest.Cluster, what, query string) {
	t.Helper()
	db := open(t, server.DSN(), false)
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		var is bool
		if err := db.QueryRow(query).Scan(&is); err == nil && is {
			return
		} else if time.Now().After(end) {
			t.Fatalf("it does not come to it that %s: %v", what, err)
		}
	}
}

// lockOf is the lock as one machine has it.
func (p pair) lockOf(t *testing.T, lease time.Duration) *fleetlock.Lock {
	t.Helper()
	return fleetlock.On(newRegister(t, pglock.Config{DB: p.either}), "a", fleetlock.Lease(lease))
}

func acquire(t *testing.T, lock *fleetlock.Lock) *fleetlock.Held {
	t.Helper()
	h, err := lock.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestAPromotedStandbyThatWasSynchronousHasEveryGrant(t *testing.T) {
	t.Parallel()
	const lease = time.Minute
	p := startSynchronousPair(t)
	held := acquire(t, p.lockOf(t, lease))
	waiting := make(chan *fleetlock.Held, 1)
	waiter := p.lockOf(t, lease)
	go func() {
		h, err := waiter.Acquire(t.Context())
		if err != nil {
			t.Errorf("who waits through the failover: %v", err)
		}
		waiting <- h
	}()
	await(t, p.primary, "somebody waits", `SELECT record LIKE '%"line"%' FROM fleetlock`)

	p.failOver(t)
	if err := held.Err(); err != nil {
		t.Errorf("after the failover the holder is told %v", err)
	}
	var busy *fleetlock.BusyError
	if _, err := p.lockOf(t, lease).TryAcquire(t.Context()); !errors.As(err, &busy) || busy.Holder.Token != held.Token() {
		t.Errorf("after the failover one who asks is told %v, not that it is held under token %d", err, held.Token())
	}
	if err := held.Release(); err != nil {
		t.Errorf("after the failover the release fails: %v", err)
	}
	next := <-waiting
	if next == nil {
		return
	}
	if next.Token() <= held.Token() {
		t.Errorf("after the failover token %d was granted after %d", next.Token(), held.Token())
	}
	if err := next.Release(); err != nil {
		t.Error(err)
	}
}

// Whose call ends while the server waits for the standby has Postgres commit all the same,
// on the primary alone, where everyone sees it. That must not pass for a grant: a standby
// that is promoted does not have it.
func TestNoGrantIsMadeThatASynchronousStandbyDoesNotHave(t *testing.T) {
	t.Parallel()
	const lease = time.Minute
	p := startSynchronousPair(t)
	first := acquire(t, p.lockOf(t, lease))
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	p.part(t)
	if h, err := p.lockOf(t, time.Second).TryAcquire(t.Context()); err == nil {
		t.Errorf("token %d is granted on the primary alone", h.Token())
	}
	p.failOver(t)
	if h := acquire(t, p.lockOf(t, lease)); h.Token() <= first.Token() {
		t.Errorf("after the failover token %d was granted after %d", h.Token(), first.Token())
	}
}

// What asynchronous replication does not promise, and what is left of the promises then.
func TestAPromotedStandbyThatWasNotSynchronousMayLackAGrantWhoseHolderLearnsIt(t *testing.T) {
	t.Parallel()
	const lease = time.Minute
	p := startPair(t)
	lock := p.lockOf(t, lease)
	first := acquire(t, lock)
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	var record string
	if err := p.either.QueryRow("SELECT record FROM fleetlock").Scan(&record); err != nil {
		t.Fatal(err)
	}
	await(t, p.standby, "the standby has the release", "SELECT record = "+pq.QuoteLiteral(record)+" FROM fleetlock")
	p.part(t)
	lost := acquire(t, lock)
	p.failOver(t)

	holds, err := p.lockOf(t, lease).TryAcquire(t.Context())
	if err != nil {
		t.Fatalf("the standby has a grant that it cannot have: %v", err)
	}
	if holds.Token() <= lost.Token() {
		t.Errorf("token %d was granted after %d", holds.Token(), lost.Token())
	}
	// Both hold it, until the first one looks.
	if err := lost.Err(); !errors.Is(err, fleetlock.ErrLost) {
		t.Errorf("who lost its grant is told %v", err)
	}
	if err := lost.Release(); !errors.Is(err, fleetlock.ErrLost) {
		t.Errorf("the release of who lost its grant is %v", err)
	}
	if err := errors.Join(holds.Err(), holds.Release()); err != nil {
		t.Errorf("who holds the lock is told %v", err)
	}
}
