//go:build unix

package main

import (
	"os"
	"syscall"
	"testing"
)

func send(t *testing.T, p *os.Process, s syscall.Signal) {
	t.Helper()
	if err := p.Signal(s); err != nil {
		t.Fatalf("pid %d cannot be sent %v: %v", p.Pid, s, err)
	}
}

func TestASignalEndsTheProgramBetweenTwoSteps(t *testing.T) {
	t.Parallel()
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			f := newFleet(t)
			succeed(t, f, "-agents", "1")
			p := start(t, f, "-agents", "1", "-hold", "1s")
			p.awaits(t, "agent-1", "stopped")
			send(t, p.process, s)
			got := p.end(t)
			if got.code != exitInterrupted || !hasLine(got.stderr, "run it again") {
				t.Errorf("%v ends the program with %d, want %d: %s", s, got.code, exitInterrupted, got.stderr)
			}
			hasLines(t, "what it prints", got.stdout, []string{lockName, "released"}, []string{"agent-1", "- ", "stopped"})
			succeed(t, f, "-agents", "1")
			wholeFleet(t, f, "holder", "agent-1")
			bearWitness(t, f)
		})
	}
}

func TestASignalEndsTheWait(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	hold(t, f)
	p := start(t, f)
	p.awaits(t, "waiting, held by")
	send(t, p.process, syscall.SIGTERM)
	if got := p.end(t); got.code != exitInterrupted || !hasLine(got.stderr, "nothing was done") {
		t.Errorf("SIGTERM ends a wait with %d: %s", got.code, got.stderr)
	}
}

// A process that is stopped does not hear that it shall end.
func stoppedAgent(t *testing.T, f fleet) pidFile {
	t.Helper()
	succeed(t, f, "-agents", "1")
	agent, err := f.read("agent-1")
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.signal(func(p *os.Process) error { return p.Signal(syscall.SIGSTOP) }); err != nil {
		t.Fatal(err)
	}
	return agent
}

func TestAnAgentThatDoesNotEndIsKilled(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	agent := stoppedAgent(t, f)
	got := succeed(t, f, "-agents", "1", "-grace", "50ms")
	hasLines(t, "what it prints", got.stdout,
		[]string{"agent-1", "killing pid " + pidText(agent.PID)}, []string{"agent-1", "killed, restarted"}, []string{"holder", " restarted"})
	wholeFleet(t, f, "holder", "agent-1")
}

func TestABrokenLockEndsTheStep(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	agent := stoppedAgent(t, f)
	p := start(t, f, "-grace", "1h")
	p.awaits(t, "stopping pid", pidText(agent.PID))
	lock := arguments{dir: f.dir}.lock()
	info, err := lock.Inspect(t.Context())
	if err == nil {
		err = lock.Break(t.Context(), info.Holder.Token, "taking too long")
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := p.end(t); got.code != exitFailure || !hasLine(got.stderr, "nothing more is done", "taking too long") {
		t.Errorf("a restarter whose lock was broken ends with %d: %s", got.code, got.stderr)
	}
	hasLines(t, "the status", succeed(t, f, "-status").stdout, []string{"lock free: taken from", "taking too long"})
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
	p := start(t, f, "-agents", "1", "-hold", "1s", "-lease", "2s")
	p.awaits(t, "agent-1", "stopped")
	send(t, p.process, syscall.SIGSTOP)
	succeed(t, f, "-agents", "1")
	token := wholeFleet(t, f, "holder", "agent-1")
	send(t, p.process, syscall.SIGCONT)
	got := p.end(t)
	if got.code != exitFailure || !hasLine(got.stderr, "nothing more is done") {
		t.Errorf("a restarter that has lost the lock ends with %d: %s", got.code, got.stderr)
	}
	if after := wholeFleet(t, f, "holder", "agent-1"); after != token {
		t.Errorf("the fleet of token %d is that of token %d after an earlier restarter woke up", token, after)
	}
	bearWitness(t, f, p.process.Pid)
}
