//go:build unix

package main

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/internal/programtest"
)

// deaf keeps a process of the fleet from hearing that it shall end, and so a restarter in
// the step that stops it, until it hears.
func deaf(t *testing.T, f fleet, name string) (p pidFile, hears func()) {
	t.Helper()
	p, err := f.read(name)
	if err != nil {
		t.Fatal(err)
	}
	send := func(s syscall.Signal) {
		t.Helper()
		if err := p.signal(func(process *os.Process) error { return process.Signal(s) }); err != nil {
			t.Fatalf("%s cannot be sent %v: %v", name, s, err)
		}
	}
	send(syscall.SIGSTOP)
	programtest.Eventually(t, name+" stands still", func() bool { return standsStill(p.PID) })
	return p, func() { t.Helper(); send(syscall.SIGCONT) }
}

func TestASignalEndsTheProgramBetweenTwoSteps(t *testing.T) {
	t.Parallel()
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			f := newFleet(t)
			succeed(t, f, "-agents", "1")
			agent, hears := deaf(t, f, "agent-1")
			p := start(t, f, "-agents", "1")
			p.Says(t, "stopping pid "+pidText(agent.PID))
			p.Signal(t, s)
			p.Says(t, "told to end")
			hears()
			got := p.End(t)
			if got.Code != exitInterrupted || !hasLine(got.Stderr, "before the stop of holder", "run it again") {
				t.Errorf("%v ends the program with %d, want %d: %s", s, got.Code, exitInterrupted, got.Stderr)
			}
			hasLines(t, "what it prints", got.Stdout, []string{lockName, "released"},
				[]string{"agent-1", "- ", "stopped"}, []string{"holder", "not reached"})
			succeed(t, f, "-agents", "1")
			wholeFleet(t, f, "holder", "agent-1")
			bearWitness(t, f)
		})
	}
}

func TestASignalEndsThePauseBeforeAStep(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	p := hold(t, f)
	p.Signal(t, syscall.SIGTERM)
	if got := p.End(t); got.Code != exitInterrupted || !hasLine(got.Stderr, "before the stop of agent-1") {
		t.Errorf("SIGTERM ends a pause with %d: %s", got.Code, got.Stderr)
	}
}

func TestASignalEndsTheWait(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	hold(t, f)
	p := start(t, f)
	p.Says(t, "waiting, held by")
	p.Signal(t, syscall.SIGTERM)
	if got := p.End(t); got.Code != exitInterrupted || !hasLine(got.Stderr, "nothing was done") {
		t.Errorf("SIGTERM ends a wait with %d: %s", got.Code, got.Stderr)
	}
}

func TestAnAgentThatDoesNotEndIsKilled(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	succeed(t, f, "-agents", "1")
	agent, _ := deaf(t, f, "agent-1")
	got := succeed(t, f, "-agents", "1", "-grace", "50ms")
	hasLines(t, "what it prints", got.Stdout,
		[]string{"agent-1", "killing pid " + pidText(agent.PID)}, []string{"agent-1", "killed, restarted"}, []string{"holder", " restarted"})
	wholeFleet(t, f, "holder", "agent-1")
}

func TestABrokenLockEndsTheStep(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	succeed(t, f, "-agents", "1")
	agent, _ := deaf(t, f, "agent-1")
	p := start(t, f)
	p.Says(t, "stopping pid "+pidText(agent.PID))
	lock := arguments{dir: f.dir}.lock()
	info, err := lock.Inspect(t.Context())
	if err == nil {
		err = lock.Break(t.Context(), info.Holders[0].Token, "taking too long")
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := p.End(t); got.Code != exitFailure || !hasLine(got.Stderr, "nothing more is done", "taking too long") {
		t.Errorf("a restarter whose lock was broken ends with %d: %s", got.Code, got.Stderr)
	}
	hasLines(t, "the status", succeed(t, f, "-status").Stdout, []string{"lock free: taken from", "taking too long"})
	if there, err := agent.runs(); !there || err != nil {
		t.Errorf("the agent was ended though the lock was broken (%v)", err)
	}
}

// What a terminal does to the processes of the shell's job must not reach the fleet.
func TestAnAgentHasAProcessGroupOfItsOwn(t *testing.T) {
	t.Parallel()
	agent := launched(t, madeFleet(t))
	if group, err := syscall.Getpgid(agent.PID); group != agent.PID || err != nil {
		t.Errorf("pid %d is in process group %d (%v)", agent.PID, group, err)
	}
}

// standingStill returns a restarter that was stopped in the step that stops an agent. Its
// lease is short, for whoever waits for its end, and longer where the machine was so slow
// that it ran out before. All of these are lost.
func standingStill(t *testing.T, f fleet, agent pidFile) (p *programtest.Program, lost []int) {
	t.Helper()
	for _, lease := range []string{"5s", "20s", "60s"} {
		p = start(t, f, "-agents", "1", "-lease", lease)
		lost = append(lost, p.PID)
		programtest.Eventually(t, "the restarter stops the agent", func() bool {
			return p.Ended() || hasLine(p.Stdout.String(), "stopping pid "+pidText(agent.PID))
		})
		if !p.Ended() {
			p.Signal(t, syscall.SIGSTOP)
			programtest.Eventually(t, "the restarter stands still", func() bool { return standsStill(p.PID) })
			return p, lost
		}
		if !hasLine(p.Stderr.String(), "lease ran out") {
			break
		}
	}
	t.Fatal("no restarter stops the agent under its lease")
	return nil, nil
}

// The fleet is that of the later token, whatever the earlier restarter does:
//
//	P                      Q
//	Acquire, stop agent-1
//	SIGSTOP
//	                       Acquire, when the lease of P is over
//	                       stop, start ...
//	SIGCONT
//	says that it was lost
func TestARestarterThatStandsStillLosesTheLockAndSaysSo(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	succeed(t, f, "-agents", "1")
	agent, hears := deaf(t, f, "agent-1")
	p, lost := standingStill(t, f, agent)
	hears()
	succeed(t, f, "-agents", "1")
	token := wholeFleet(t, f, "holder", "agent-1")
	p.Signal(t, syscall.SIGCONT)
	got := p.End(t)
	if got.Code != exitFailure || !hasLine(got.Stderr, "nothing more is done") {
		t.Errorf("a restarter that has lost the lock ends with %d: %s", got.Code, got.Stderr)
	}
	if after := wholeFleet(t, f, "holder", "agent-1"); after != token {
		t.Errorf("the fleet of token %d is that of token %d after an earlier restarter woke up", token, after)
	}
	bearWitness(t, f, lost...)
}

// The fleet is half stopped when its restarter is killed. Who waits gets in as soon as a
// waiter on a lock without a fleet does.
func TestAKilledRestarterLetsTheNextOneInAtOnce(t *testing.T) {
	t.Parallel()
	f, other := newFleet(t), newFleet(t)
	succeed(t, f, "-agents", "2")
	bare := bareWakeUp(t, other)

	holder, hears := deaf(t, f, "holder")
	p := start(t, f, "-agents", "2")
	p.Says(t, "stopping pid "+pidText(holder.PID))
	q := start(t, f, "-agents", "2")
	q.Says(t, "waiting, held by .* "+pidText(p.PID)+" ")
	began := time.Now()
	p.Kill()
	q.Says(t, "granted")
	took := time.Since(began)
	hears()
	if got := q.End(t); got.Code != 0 {
		t.Errorf("the next restarter ends with %d: %s", got.Code, got.Stderr)
	}
	wholeFleet(t, f, "holder", "agent-1", "agent-2")
	hasLines(t, "the next restarter's table", q.Stdout.String(), []string{"agent-1", "- ", "started"})
	bearWitness(t, f, p.PID)
	t.Logf("in after %v; a bare lock: %v", took, bare)
	if took > bare+30*time.Second { // on a busy machine; by age it would be longer
		t.Errorf("the next restarter was in %v after the kill, a bare lock %v", took, bare)
	}
}

// bareWakeUp is how long after the kill of a restarter a lock that waits is granted.
func bareWakeUp(t *testing.T, f fleet) time.Duration {
	t.Helper()
	holder := hold(t, f)
	granted := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), programtest.Patience)
		defer cancel()
		held, err := fleetlock.File(f.path("fleet.lock")).Acquire(ctx)
		if err == nil {
			err = held.Release()
		}
		granted <- err
	}()
	time.Sleep(20 * time.Millisecond) // most likely it waits by then; if not, it is as right
	began := time.Now()
	holder.Kill()
	if err := <-granted; err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
}
