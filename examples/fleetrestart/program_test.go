package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/internal/programtest"
)

// The test binary takes the part of the program, and of the processes of a fleet.
func TestMain(m *testing.M) { programtest.Main(m, main) }

// newFleet returns the place of a fleet. At the end of the test the fleet is stopped,
// and no process may be left.
func newFleet(t *testing.T) fleet {
	t.Helper()
	f := fleet{dir: filepath.Join(t.TempDir(), "fleet")}
	t.Cleanup(func() {
		if _, err := os.Stat(f.dir); err == nil {
			if got := runToEnd(t, f, "-stop", "-grace", "100ms"); got.Code != 0 {
				t.Errorf("the fleet cannot be stopped: %s", got.Stderr)
			}
		}
		noneLeft(t, f)
	})
	return f
}

// noneLeft fails the test if any process of the fleet is there, and ends it, or if one was
// forgotten and ended by itself.
func noneLeft(t *testing.T, f fleet) {
	t.Helper()
	var left []int
	// A child whose restarter was killed may just be learning that it is not wanted.
	for deadline := time.Now().Add(programtest.Patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if left = processesOf(f.dir); len(left) == 0 {
			if log, _ := os.ReadFile(f.path("fleet.log")); bytes.Contains(log, []byte(forgotten)) {
				t.Errorf("a process was forgotten:\n%s", log)
			}
			return
		}
	}
	t.Errorf("these processes of the fleet were left behind: %v", left)
	for _, pid := range left {
		if p, err := os.FindProcess(pid); err == nil {
			p.Kill()
		}
	}
}

// start runs the program for a fleet. However busy the machine is, what it tells to end
// ends by itself and is not killed, and it does not give up.
func start(t *testing.T, f fleet, args ...string) *programtest.Program {
	t.Helper()
	return programtest.Start(t, programtest.Command(append([]string{"-dir", f.dir, "-grace", "1h", "-wait", "0"}, args...)...))
}

// runToEnd runs a program that is expected to end by itself.
func runToEnd(t *testing.T, f fleet, args ...string) programtest.Outcome {
	t.Helper()
	return start(t, f, args...).End(t)
}

// succeed runs a program that is expected to do what it was told.
func succeed(t *testing.T, f fleet, args ...string) programtest.Outcome {
	t.Helper()
	got := runToEnd(t, f, args...)
	if got.Code != 0 || got.Stderr != "" {
		t.Fatalf("fleetrestart %q ends with %d, want 0: %s", args, got.Code, got.Stderr)
	}
	return got
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
