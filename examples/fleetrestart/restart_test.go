package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// wholeFleet fails the test unless exactly these run, under one token, and returns it.
func wholeFleet(t *testing.T, f fleet, names ...string) (token uint64) {
	t.Helper()
	known, err := f.names()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(known, " "), strings.Join(names, " "); got != want {
		t.Fatalf("the fleet is %q, want %q", got, want)
	}
	for _, name := range names {
		p, err := f.read(name)
		if err != nil {
			t.Fatal(err)
		}
		if there, err := p.runs(); !there || err != nil {
			t.Errorf("%s does not run (%v)", name, err)
		}
		if token != 0 && p.Token != token {
			t.Errorf("%s runs under token %d, others under %d", name, p.Token, token)
		}
		token = p.Token
	}
	return token
}

func TestARestartReplacesEveryProcess(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	first := succeed(t, f, "-agents", "2")
	hasLines(t, "the first table", first.stdout, []string{"holder", "- ", "started"}, []string{"agent-2", "- ", "started"})
	before, err := f.read("agent-2")
	if err != nil {
		t.Fatal(err)
	}
	second := succeed(t, f, "-agents", "2")
	after, err := f.read("agent-2")
	if err != nil {
		t.Fatal(err)
	}
	hasLines(t, "the second table", second.stdout,
		[]string{"NAME", "PID BEFORE", "PID AFTER", "STATE", "TOOK"},
		[]string{"agent-2", pidText(before.PID), pidText(after.PID), "restarted"})
	if token := wholeFleet(t, f, "holder", "agent-1", "agent-2"); token <= before.Token || after.PID == before.PID {
		t.Errorf("after a restart agent-2 is %+v, before it was %+v", after, before)
	}
	bearWitness(t, f)
}

// Which of the two is P is left to them:
//
//	P                      Q
//	Acquire
//	                       Acquire: waits
//	stop, start ...
//	Release
//	                       stop, start ...
func TestTwoAtOnceDoNotInterleave(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	p := start(t, f, "-agents", "2", "-hold", "30ms")
	q := start(t, f, "-agents", "2", "-hold", "30ms")
	for _, one := range []*program{p, q} {
		if got := one.end(t); got.code != 0 {
			t.Errorf("one of two restarters at once ends with %d: %s", got.code, got.stderr)
		}
	}
	if w := bearWitness(t, f); w.wholes != 2 || len(w.there) != 3 {
		t.Errorf("after two restarts of three processes the log tells of %d restarts and of %v", w.wholes, w.there)
	}
	wholeFleet(t, f, "holder", "agent-1", "agent-2")
}

// Half of the fleet is stopped when its restarter is killed. Who waits gets in as soon
// as a waiter on a lock without a fleet does.
func TestAKilledRestarterLetsTheNextOneInAtOnce(t *testing.T) {
	t.Parallel()
	f, other := newFleet(t), newFleet(t)
	succeed(t, f, "-agents", "2")
	bare := bareWakeUp(t, other)

	p := start(t, f, "-agents", "2", "-hold", "300ms")
	p.awaits(t, lockName, "granted")
	q := start(t, f, "-agents", "2")
	p.awaits(t, "agent-2", "stopped")
	q.awaits(t, "waiting, held by", pidText(p.process.Pid))
	began := time.Now()
	p.process.Kill()
	q.awaits(t, lockName, "granted")
	took := time.Since(began)
	if got := q.end(t); got.code != 0 {
		t.Errorf("the next restarter ends with %d: %s", got.code, got.stderr)
	}
	wholeFleet(t, f, "holder", "agent-1", "agent-2")
	hasLines(t, "the next restarter's table", q.stdout.String(), []string{"agent-1", "- ", "started"})
	bearWitness(t, f, p.process.Pid)
	t.Logf("in after %v; a bare lock: %v", took, bare)
	if took > bare+5*time.Second { // on a busy machine; by polling or by age it would be longer
		t.Errorf("the next restarter was in %v after the kill, a bare lock %v", took, bare)
	}
}

// bareWakeUp is how long after the kill of a restarter a lock that waits is granted.
func bareWakeUp(t *testing.T, f fleet) time.Duration {
	t.Helper()
	holder := hold(t, f)
	granted := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		held, err := fleetlock.File(f.path("fleet.lock")).Acquire(ctx)
		if err == nil {
			err = held.Release()
		}
		granted <- err
	}()
	time.Sleep(20 * time.Millisecond) // most likely it waits by then; if not, it is as right
	began := time.Now()
	holder.process.Kill()
	if err := <-granted; err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
}

func TestStopAttemptsEveryAgentAndTheHolderThoughSomeFail(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	succeed(t, f, "-agents", "3")
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), []string{"-dir", f.dir, "-stop", "-fail", "agent-1", "-fail", "agent-3"}, &stdout, &stderr)
	if exitCode(err) != exitFailure || !errors.Is(err, fs.ErrPermission) {
		t.Fatalf("a stop that fails for two agents ends with %d and the error %v", exitCode(err), err)
	}
	var text bytes.Buffer
	complain(&text, err)
	hasLines(t, "the complaint", text.String(), []string{"stop agent-1"}, []string{"stop agent-3"})
	if lines := strings.Count(text.String(), "\n"); lines != 2 {
		t.Errorf("two failures make %d lines:\n%s", lines, text.String())
	}
	hasLines(t, "the table", stdout.String(),
		[]string{"holder", "- ", "stopped"}, []string{"agent-1", "not stopped"},
		[]string{"agent-2", "- ", "stopped"}, []string{"agent-3", "not stopped"})
	wholeFleet(t, f, "agent-1", "agent-3")
}

func TestStopAttemptsTheAgentsThoughTheHolderFails(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	succeed(t, f, "-agents", "1")
	if got := runToEnd(t, f, "-stop", "-fail", "holder"); got.code != exitFailure || !hasLine(got.stderr, "stop holder") {
		t.Errorf("a stop that fails for the holder ends with %d: %s", got.code, got.stderr)
	}
	wholeFleet(t, f, "holder")
}

func TestARestartLeavesOneOfEachThoughOneCannotBeStopped(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	succeed(t, f, "-agents", "2")
	before, err := f.read("agent-1")
	if err != nil {
		t.Fatal(err)
	}
	got := runToEnd(t, f, "-agents", "2", "-fail", "agent-1")
	if got.code != exitFailure || !hasLine(got.stderr, "stop agent-1") {
		t.Errorf("a restart that fails for one agent ends with %d: %s", got.code, got.stderr)
	}
	hasLines(t, "the table", got.stdout,
		[]string{"agent-1", pidText(before.PID) + " ", "not stopped"}, []string{"agent-2", "restarted"}, []string{"holder", "restarted"})
	bearWitness(t, f)
}

func TestAFleetThatShrinksLosesTheRest(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	succeed(t, f, "-agents", "3")
	succeed(t, f, "-agents", "1")
	wholeFleet(t, f, "holder", "agent-1")
	if pids := processesOf(f.dir); len(pids) != 2 {
		t.Errorf("a holder and an agent are the processes %v", pids)
	}
}

func TestAStoppedFleetLeavesNoPIDFile(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	succeed(t, f, "-agents", "1")
	succeed(t, f, "-stop")
	wholeFleet(t, f)
}

func TestWhatMayRunIsNotStartedAgain(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	damaged := f.path("agent-1" + pidSuffix)
	if err := os.WriteFile(damaged, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := runToEnd(t, f, "-agents", "1")
	if got.code != exitFailure || !hasLine(got.stderr, "stop agent-1", damaged) {
		t.Errorf("with a damaged pid file a restart ends with %d: %s", got.code, got.stderr)
	}
	hasLines(t, "the progress", got.stdout, []string{"agent-1", "not started"}, []string{"holder", "started pid"})
	if err := os.Remove(damaged); err != nil {
		t.Fatal(err)
	}
}
