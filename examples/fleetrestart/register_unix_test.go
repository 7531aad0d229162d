//go:build unix

package main

import (
	"testing"

	"github.com/mosaicstack/fedkit/internal/pgtest"
)

// Two machines have a fleet each, and one database.
func TestOfTheFleetsOfSeveralMachinesOneRestartsAtATime(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t)
	here, there := newFleet(t), newFleet(t)
	succeed(t, here, "-register", dsn, "-agents", "1")
	agent, hears := deaf(t, here, "agent-1")
	first := start(t, here, "-register", dsn, "-agents", "1")
	first.Says(t, "stopping pid "+pidText(agent.PID))
	second := start(t, there, "-register", dsn, "-agents", "1")
	second.Says(t, "waiting, held by")
	hears()
	if one, other := first.End(t), second.End(t); one.Code != 0 || other.Code != 0 {
		t.Fatalf("the restarts end with %d and %d: %s%s", one.Code, other.Code, one.Stderr, other.Stderr)
	}
}
