package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/internal/programtest"
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
	hasLines(t, "the first table", first.Stdout, []string{"holder", "- ", "started"}, []string{"agent-2", "- ", "started"})
	before, err := f.read("agent-2")
	if err != nil {
		t.Fatal(err)
	}
	second := succeed(t, f, "-agents", "2")
	after, err := f.read("agent-2")
	if err != nil {
		t.Fatal(err)
	}
	hasLines(t, "the second table", second.Stdout,
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
	for _, one := range []*programtest.Program{p, q} {
		if got := one.End(t); got.Code != 0 {
			t.Errorf("one of two restarters at once ends with %d: %s", got.Code, got.Stderr)
		}
	}
	if w := bearWitness(t, f); w.wholes != 2 || len(w.there) != 3 {
		t.Errorf("after two restarts of three processes the log tells of %d restarts and of %v", w.wholes, w.there)
	}
	wholeFleet(t, f, "holder", "agent-1", "agent-2")
}

func TestStopAttemptsEveryAgentAndTheHolderThoughSomeFail(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	succeed(t, f, "-agents", "3")
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), []string{"-dir", f.dir, "-grace", "1h", "-stop", "-fail", "agent-1", "-fail", "agent-3"}, &stdout, &stderr)
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
	if got := runToEnd(t, f, "-stop", "-fail", "holder"); got.Code != exitFailure || !hasLine(got.Stderr, "stop holder") {
		t.Errorf("a stop that fails for the holder ends with %d: %s", got.Code, got.Stderr)
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
	if got.Code != exitFailure || !hasLine(got.Stderr, "stop agent-1") {
		t.Errorf("a restart that fails for one agent ends with %d: %s", got.Code, got.Stderr)
	}
	hasLines(t, "the table", got.Stdout,
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
	if got.Code != exitFailure || !hasLine(got.Stderr, "stop agent-1", damaged) {
		t.Errorf("with a damaged pid file a restart ends with %d: %s", got.Code, got.Stderr)
	}
	hasLines(t, "the progress", got.Stdout, []string{"agent-1", "not started"}, []string{"holder", "started pid"})
	if err := os.Remove(damaged); err != nil {
		t.Fatal(err)
	}
}
