package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/internal/programtest"
)

// hold starts a restarter that has the lock and goes no further.
func hold(t *testing.T, f fleet, args ...string) *programtest.Program {
	t.Helper()
	p := start(t, f, append(args, "-hold", "1h")...)
	p.Says(t, "in 1h0m0s")
	return p
}

func TestAWaitThatEndsNamesTheHolder(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	holder := hold(t, f, "-agents", "7")
	got := runToEnd(t, f, "-wait", "50ms")
	if got.Code != exitBusy {
		t.Errorf("a wait that ends ends the program with %d, want %d", got.Code, exitBusy)
	}
	hasLines(t, "the complaint", got.Stderr,
		[]string{"50ms", `"fleetrestart -agents 7"`, "pid " + pidText(holder.PID) + " ", "since "})
	if strings.Contains(got.Stdout, "PID BEFORE") {
		t.Errorf("a restart that did not begin prints a table:\n%s", got.Stdout)
	}
}

// A silent register answers nothing.
type silent struct{ fleetlock.Register }

func (silent) Load(ctx context.Context, _ string) (fleetlock.Record, error) {
	<-ctx.Done()
	return fleetlock.Record{}, ctx.Err()
}

func TestARegisterThatFallsSilentIsNotAWaitThatEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lock := fleetlock.On(silent{}, "a", fleetlock.Lease(registerLease))
		_, err := wait(t.Context(), lock, time.Hour, fleetlock.Holder{}, &progress{w: io.Discard})
		if code := exitCode(err); code != exitFailure || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a wait for a register that does not answer ends with %d, want %d: %v", code, exitFailure, err)
		}
	})
}

func TestWhoWaitsTellsWhenTheHolderChanges(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	first := hold(t, f)
	waiting := []*programtest.Program{start(t, f, "-hold", "1h"), start(t, f, "-hold", "1h")}
	for _, p := range waiting {
		p.Says(t, "waiting, held by .* "+pidText(first.PID)+" ")
	}
	first.Kill()
	second, third := waiting[0], waiting[1]
	if held := holderOf(t, f, first.PID); held == third.PID {
		second, third = third, second
	}
	second.Says(t, "granted")
	third.Says(t, "now held by .*pid "+pidText(second.PID)+" ")
}

// holderOf waits until another process than the one that was killed holds the lock.
func holderOf(t *testing.T, f fleet, killed int) (pid int) {
	t.Helper()
	lock := arguments{dir: f.dir}.lock()
	programtest.Eventually(t, "another process holds the lock", func() bool {
		info, err := lock.Inspect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !isHeld(info.State) {
			return false
		}
		pid = info.Holders[0].PID
		return pid != killed
	})
	return pid
}

func TestStatusTellsOfTheFleetAndTheLockWhileItIsHeld(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	succeed(t, f, "-agents", "1")
	hasLines(t, "the status of a free lock", succeed(t, f, "-status").Stdout, []string{"lock free, last held by"})
	holder := hold(t, f, "-stop")
	agent, err := f.read("agent-1")
	if err != nil {
		t.Fatal(err)
	}
	hasLines(t, "the status", succeed(t, f, "-status").Stdout,
		[]string{"lock held by", `"fleetrestart -stop"`, "pid " + pidText(holder.PID) + " "},
		[]string{"agent-1", pidText(agent.PID) + " ", "runs"},
		[]string{"holder", "runs"})
	agentEnds(t, agent)
	holder.Kill()
	hasLines(t, "the status after a kill", succeed(t, f, "-status").Stdout,
		[]string{"lock free: left behind by", "pid " + pidText(holder.PID) + " "},
		[]string{"agent-1", pidText(agent.PID) + " ", "ended"})
}

func agentEnds(t *testing.T, p pidFile) {
	t.Helper()
	if err := p.signal((*os.Process).Kill); err != nil {
		t.Fatal(err)
	}
	if ended, err := p.awaitEnd(t.Context(), programtest.Patience); !ended || err != nil {
		t.Fatalf("pid %d has not ended (%v)", p.PID, err)
	}
}

func TestStatusMakesNothing(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	hasLines(t, "the status", succeed(t, f, "-status").Stdout, []string{"lock free, nobody ever had it"})
	if _, err := os.Lstat(f.dir); !os.IsNotExist(err) {
		t.Errorf("-status has made %s", f.dir)
	}
}
