//go:build unix

package pglock_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/internal/contest"
	"github.com/mosaicstack/fedkit/fleetlock/pglock"
	"github.com/mosaicstack/fedkit/internal/pgtest"
)

func TestMain(m *testing.M) {
	contest.Main(func(dsn string) (fleetlock.Register, error) {
		db, err := sql.Open("postgres", dsn)
		if err != nil {
			return nil, err
		}
		db.SetMaxIdleConns(4)
		return pglock.New(context.Background(), pglock.Config{DB: db, Listen: dsn})
	})
	os.Exit(m.Run())
}

// rounds is how often each misfortune strikes.
func rounds() int {
	if os.Getenv("FEDKIT_TORTURE") == "1" {
		return 15
	}
	return 1
}

func TestEightProcessesContendWhileTheServerAndTheHoldersAreMaltreated(t *testing.T) {
	t.Parallel()
	const lease = time.Second
	cluster := pgtest.NewCluster(t)
	db := open(t, cluster.DSN(), true)
	c := contest.Start(t, 8, cluster.DSN(), lease)
	c.AwaitGrants(t, 8, patience)
	for range rounds() {
		c.KillHolder(t)
		c.AwaitGrants(t, 3, patience)
		for range 3 {
			if _, err := db.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"); err != nil {
				t.Error(err)
			}
			c.AwaitGrants(t, 3, patience)
		}
		cluster.Stop(t)
		time.Sleep(lease / 4)
		cluster.Start(t)
		c.AwaitGrants(t, 3, patience)
		c.PauseHolder(t)
		c.AwaitGrants(t, 3, patience)
		pauseBackends(t, db, lease/2)
		c.AwaitGrants(t, 3, patience)
	}
	report := c.End(t)
	t.Logf("Postgres, a lease of %v: %v", lease, report)
	for _, wrong := range report.Wrongs {
		t.Error(wrong)
	}
}

// pauseBackends has every connection hang for a while.
func pauseBackends(t *testing.T, db *sql.DB, d time.Duration) {
	t.Helper()
	rows, err := db.Query("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var pids []int
	for rows.Next() {
		var pid int
		if err := rows.Scan(&pid); err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if err := rows.Err(); err != nil || len(pids) == 0 {
		t.Fatal(fmt.Errorf("no backend can be paused: %w", err))
	}
	for _, s := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
		for _, pid := range pids {
			_ = syscall.Kill(pid, s) // which may be gone
		}
		time.Sleep(d)
	}
}
