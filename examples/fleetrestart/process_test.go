package main

import (
	"os"
	"testing"

	"github.com/mosaicstack/fedkit/internal/programtest"
)

// launched starts an agent by hand.
func launched(t *testing.T, f fleet) pidFile {
	t.Helper()
	if _, err := f.launch(t.Context(), "agent-1", 1); err != nil {
		t.Fatal(err)
	}
	p, err := f.read("agent-1")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAnotherProcessUnderTheSameNumberIsLeftAlone(t *testing.T) {
	t.Parallel()
	bystander, f := launched(t, madeFleet(t)), madeFleet(t)
	old := bystander
	old.Born = "long ago"
	if err := f.write("agent-1", old); err != nil {
		t.Fatal(err)
	}
	hasLines(t, "the progress", succeed(t, f, "-stop").Stdout, []string{"agent-1", "does not run"})
	if there, err := bystander.runs(); !there || err != nil {
		t.Errorf("a process with the number of an agent that had ended was stopped (%v)", err)
	}
}

func TestAProcessThatHasEndedIsNotThere(t *testing.T) {
	t.Parallel()
	p := launched(t, madeFleet(t))
	agentEnds(t, p)
	if err := p.signal(func(*os.Process) error { t.Error("it is signalled"); return nil }); err != nil {
		t.Errorf("a process that has ended cannot be looked at: %v", err)
	}
}

func TestAFleetWithoutADirectoryEnds(t *testing.T) {
	t.Parallel()
	f := madeFleet(t)
	p := launched(t, f)
	if err := os.RemoveAll(f.dir); err != nil {
		t.Fatal(err)
	}
	if ended, err := p.awaitEnd(t.Context(), programtest.Patience); !ended || err != nil {
		t.Errorf("%s after its directory was removed, an agent has not ended (%v)", programtest.Patience, err)
	}
}
