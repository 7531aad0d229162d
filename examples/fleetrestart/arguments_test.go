package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAWrongCommandLineIsExplained(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		args []string
		says string
	}{
		{"an unknown flag", []string{"-nonsense"}, "-nonsense"},
		{"an argument", []string{"now"}, `unexpected argument "now"`},
		{"no agents", []string{"-agents", "0"}, "-agents takes"},
		{"too many agents", []string{"-agents", "5000"}, "-agents takes"},
		{"a negative wait", []string{"-wait", "-1s"}, "not negative"},
		{"a failure of nobody", []string{"-fail", "agent-x"}, "-fail takes"},
		{"status and stop", []string{"-status", "-stop"}, "-status changes nothing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t)
			got := runToEnd(t, f, test.args...)
			if got.Code != exitUsage || !strings.Contains(got.Stderr, test.says) || !strings.Contains(got.Stderr, "Usage of fleetrestart") {
				t.Errorf("fleetrestart %q ends with %d, want 2, the usage and %q, and says:\n%s", test.args, got.Code, test.says, got.Stderr)
			}
			if _, err := os.Lstat(f.dir); !os.IsNotExist(err) {
				t.Errorf("fleetrestart %q has made %s", test.args, f.dir)
			}
		})
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	t.Parallel()
	got := runToEnd(t, newFleet(t), "-h")
	if got.Code != 0 || !strings.Contains(got.Stderr, "-hold duration") {
		t.Errorf("fleetrestart -h ends with %d, want 0 and the flags, and says:\n%s", got.Code, got.Stderr)
	}
}

func TestALeaseThatIsTooShortIsOneClearLine(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	got := runToEnd(t, f, "-lease", "1ms")
	if got.Code != exitFailure || !hasLine(got.Stderr, "lease of 1ms") || strings.Count(got.Stderr, "\n") != 1 {
		t.Errorf("fleetrestart -lease 1ms ends with %d and says %q", got.Code, got.Stderr)
	}
}

func TestTheFleetIsInTheCacheUnlessItIsSaid(t *testing.T) {
	t.Parallel()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, filepath.Join(cache, "fleetrestart")},
		{[]string{"-dir", cache}, cache},
	} {
		a, err := parseArguments(test.args, &said)
		if err != nil || a.dir != test.want {
			t.Errorf("with %q the fleet is in %q (%v), want %q", test.args, a.dir, err, test.want)
		}
	}
}

func TestTheHolderIsFirstAndAgentsAreInOrder(t *testing.T) {
	t.Parallel()
	names := []string{"agent-10", "agent-2", "holder", "agent-1"}
	sortNames(names)
	if got, want := strings.Join(names, " "), "holder agent-1 agent-2 agent-10"; got != want {
		t.Errorf("the order is %q, want %q", got, want)
	}
}
