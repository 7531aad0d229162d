package programtest

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Patience is how long anything may take before a test gives up.
const Patience = 2 * time.Minute

// A Program is a process that a test has started. Its methods may be called by any
// goroutine, and those that take a test by the one that runs it.
type Program struct {
	PID    int
	Stdout *Notes // what it has said so far
	Stderr *Notes

	process *os.Process
	ended   chan struct{} // closed when it has ended
	err     error         // of the end
}

// Start starts a program. At the end of the test it is killed if it still runs, and what
// it said is logged if the test has failed.
func Start(t testing.TB, cmd *exec.Cmd) *Program {
	t.Helper()
	p := &Program{Stdout: new(Notes), Stderr: new(Notes), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.Stdout, p.Stderr
	cmd.WaitDelay = Patience // for processes that it leaves behind with its output in hand
	if err := cmd.Start(); err != nil {
		t.Fatalf("the program does not start: %v", err)
	}
	p.process, p.PID = cmd.Process, cmd.Process.Pid
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("the program %q said:\n%s%s", cmd.Args[1:], p.Stdout, p.Stderr)
		}
	})
	return p
}

// Says waits until the program has printed what matches the pattern, and returns the match
// and its groups. The test fails if the program ends without it.
func (p *Program) Says(t testing.TB, pattern string) []string {
	t.Helper()
	var (
		text  = regexp.MustCompile(pattern)
		found []string
		ended bool
	)
	Eventually(t, "the program says "+pattern, func() bool {
		ended = p.Ended() // before the look, which then sees everything
		found = text.FindStringSubmatch(p.Stdout.String())
		return found != nil || ended
	})
	if found == nil {
		t.Fatalf("the program has ended, and did not say %s", pattern)
	}
	return found
}

// Signal sends a signal.
func (p *Program) Signal(t testing.TB, signal os.Signal) {
	t.Helper()
	if err := p.process.Signal(signal); err != nil {
		t.Fatalf("the program cannot be sent %v: %v", signal, err)
	}
}

// Kill ends the program as a crash does, and waits for its end. It may have ended before.
func (p *Program) Kill() {
	p.process.Kill() // fails if it has ended, which is as good
	<-p.ended
}

// An Outcome is what is left of a program that has ended.
type Outcome struct {
	Code           int // the exit status; -1: it was ended by a signal
	Stdout, Stderr string
}

// End waits for the end of the program.
func (p *Program) End(t testing.TB) Outcome {
	t.Helper()
	Eventually(t, "the program has ended", p.Ended)
	code := 0
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		t.Fatalf("the end of the program cannot be told: %v", p.err)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return Outcome{code, p.Stdout.String(), p.Stderr.String()}
}

// Ended tells if the program has ended.
func (p *Program) Ended() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// HasTime asks the program, a server, until it has time for the answer, whose status ask
// returns. On a machine that is busy enough a server runs out of its own time, answers 503,
// and logs why: a 503 for any other reason is not asked for again.
func (p *Program) HasTime(ask func() (status int)) {
	status := ask()
	for end := time.Now().Add(Patience); status == http.StatusServiceUnavailable && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond) // the log may come behind the answer
		if strings.Contains(p.Stderr.String(), context.DeadlineExceeded.Error()) {
			status = ask()
		}
	}
}

// Eventually waits until something is so.
func Eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	eventually(t, Patience, what, so)
}

func eventually(t testing.TB, patience time.Duration, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s still not: %s", patience, what)
		}
	}
}
