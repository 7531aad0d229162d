package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// hold starts a restarter that has the lock and goes no further.
func hold(t *testing.T, f fleet, args ...string) *program {
	t.Helper()
	p := start(t, f, append(args, "-hold", "1h")...)
	p.awaits(t, "in 1h0m0s")
	return p
}

func TestAWaitThatEndsNamesTheHolder(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	holder := hold(t, f, "-agents", "7")
	got := runToEnd(t, f, "-wait", "50ms")
	if got.code != exitBusy {
		t.Errorf("a wait that ends ends the program with %d, want %d", got.code, exitBusy)
	}
	hasLines(t, "the complaint", got.stderr,
		[]string{"50ms", `"fleetrestart -agents 7"`, "pid " + pidText(holder.process.Pid) + " ", "since "})
	if strings.Contains(got.stdout, "PID BEFORE") {
		t.Errorf("a restart that did not begin prints a table:\n%s", got.stdout)
	}
}

func TestWhoWaitsTellsWhenTheHolderChanges(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	first := hold(t, f)
	waiting := []*program{start(t, f, "-hold", "1h"), start(t, f, "-hold", "1h")}
	for _, p := range waiting {
		p.awaits(t, "waiting, held by", pidText(first.process.Pid))
	}
	first.process.Kill()
	<-first.ended
	second, third := waiting[0], waiting[1]
	if held := holderOf(t, f, first.process.Pid); held == third.process.Pid {
		second, third = third, second
	}
	second.awaits(t, lockName, "granted")
	third.awaits(t, "now held by", "pid "+pidText(second.process.Pid)+" ")
}

// holderOf waits until another process than the one that was killed holds the lock.
func holderOf(t *testing.T, f fleet, killed int) int {
	t.Helper()
	lock := arguments{dir: f.dir}.lock()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		info, err := lock.Inspect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if isHeld(info.State) && info.Holder.PID != killed {
			return info.Holder.PID
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s nobody holds the lock but pid %d, which was killed", patience, killed)
		}
	}
}

func TestStatusTellsOfTheFleetAndTheLockWhileItIsHeld(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	succeed(t, f, "-agents", "1")
	hasLines(t, "the status of a free lock", succeed(t, f, "-status").stdout, []string{"lock free, last held by"})
	holder := hold(t, f, "-stop")
	agent, err := f.read("agent-1")
	if err != nil {
		t.Fatal(err)
	}
	hasLines(t, "the status", succeed(t, f, "-status").stdout,
		[]string{"lock held by", `"fleetrestart -stop"`, "pid " + pidText(holder.process.Pid) + " "},
		[]string{"agent-1", pidText(agent.PID) + " ", "runs"},
		[]string{"holder", "runs"})
	agentEnds(t, agent)
	holder.process.Kill()
	<-holder.ended
	hasLines(t, "the status after a kill", succeed(t, f, "-status").stdout,
		[]string{"lock free: left behind by", "pid " + pidText(holder.process.Pid) + " "},
		[]string{"agent-1", pidText(agent.PID) + " ", "ended"})
}

func agentEnds(t *testing.T, p pidFile) {
	t.Helper()
	if err := p.signal((*os.Process).Kill); err != nil {
		t.Fatal(err)
	}
	if ended, err := p.awaitEnd(t.Context(), patience); !ended || err != nil {
		t.Fatalf("pid %d has not ended (%v)", p.PID, err)
	}
}

func TestStatusMakesNothing(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	hasLines(t, "the status", succeed(t, f, "-status").stdout, []string{"lock free, nobody ever had it"})
	if _, err := os.Lstat(f.dir); !os.IsNotExist(err) {
		t.Errorf("-status has made %s", f.dir)
	}
}
