package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The tests run the program as its users do: as a process, which is the test binary
// that takes the part of the program, and so are the processes of the fleet.
const asProgram = "FLEETRESTART_TEST_RUN_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "1" {
		main()
		os.Exit(0)
	}
	// For every process that a test starts. Under the race detector each would sleep a
	// second before it ends.
	os.Setenv(asProgram, "1")
	os.Setenv("GORACE", strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0"))
	os.Exit(m.Run())
}

// patience is how long anything may take before a test gives up.
const patience = 2 * time.Minute

// newFleet returns the place of a fleet. At the end of the test the fleet is stopped,
// and no process may be left.
func newFleet(t *testing.T) fleet {
	t.Helper()
	f := fleet{dir: filepath.Join(t.TempDir(), "fleet")}
	t.Cleanup(func() {
		if _, err := os.Stat(f.dir); err == nil {
			if got := runToEnd(t, f, "-stop", "-grace", "100ms", "-wait", "10s"); got.code != 0 {
				t.Errorf("the fleet cannot be stopped: %s", got.stderr)
			}
		}
		noneLeft(t, f)
	})
	return f
}

// noneLeft fails the test if any process of the fleet is there, and ends it.
func noneLeft(t *testing.T, f fleet) {
	t.Helper()
	var left []int
	// A child whose restarter was killed may just be learning that it is not wanted.
	for range 200 {
		if left = processesOf(f.dir); len(left) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("these processes of the fleet were left behind: %v", left)
	for _, pid := range left {
		if p, err := os.FindProcess(pid); err == nil {
			p.Kill()
		}
	}
}

// A program is a fleetrestart that was started.
type program struct {
	process *os.Process
	stdout  *notes
	stderr  *notes
	ended   chan struct{} // closed when it has ended
	err     error         // of the end
}

// start runs the program for a fleet; it is killed at the end of the test if it still
// runs.
func start(t *testing.T, f fleet, args ...string) *program {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"-dir", f.dir}, args...)...)
	p := &program{stdout: new(notes), stderr: new(notes), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.stdout, p.stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("the program does not start: %v", err)
	}
	p.process = cmd.Process
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("fleetrestart %q printed:\n%s%s", args, p.stdout, p.stderr)
		}
	})
	return p
}

// runToEnd runs a program that is expected to end by itself.
func runToEnd(t *testing.T, f fleet, args ...string) outcome {
	t.Helper()
	return start(t, f, args...).end(t)
}

// succeed runs a program that is expected to do what it was told.
func succeed(t *testing.T, f fleet, args ...string) outcome {
	t.Helper()
	got := runToEnd(t, f, args...)
	if got.code != 0 || got.stderr != "" {
		t.Fatalf("fleetrestart %q ends with %d, want 0: %s", args, got.code, got.stderr)
	}
	return got
}

// outcome is what is left of a program that has ended.
type outcome struct {
	code           int // -1: it was killed by a signal
	stdout, stderr string
}

// end waits for the end of the program.
func (p *program) end(t *testing.T) outcome {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("the program has not ended after %s", patience)
	}
	code := 0
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		t.Fatalf("the program's end cannot be told: %v", p.err)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return outcome{code, p.stdout.String(), p.stderr.String()}
}

// awaits waits until the program has printed all of the texts in a line.
func (p *program) awaits(t *testing.T, texts ...string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !hasLine(p.stdout.String(), texts...) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s the program has printed no line with %q", patience, texts)
		}
		time.Sleep(time.Millisecond)
	}
}

// hasLine reports whether one line holds all of the texts.
func hasLine(text string, parts ...string) bool {
	return slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool {
		return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) })
	})
}

// hasLines fails the test unless each of the rows stands in a line of the text.
func hasLines(t *testing.T, what, text string, rows ...[]string) {
	t.Helper()
	for _, row := range rows {
		if !hasLine(text, row...) {
			t.Errorf("%s has no line with %q:\n%s", what, row, text)
		}
	}
}

// notes is a log that is read while it is written.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}
