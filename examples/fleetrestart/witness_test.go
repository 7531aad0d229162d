package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// An event is a line of the fleet's log, which restarters and children write.
type event struct {
	token     uint64
	pid       int
	name, did string
}

func events(t *testing.T, f fleet) (all []event) {
	t.Helper()
	text, err := os.ReadFile(f.path("fleet.log"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var e event
		var at string
		if _, err := fmt.Sscanf(line, "%s token=%d pid=%d %s", &at, &e.token, &e.pid, &e.name); err != nil {
			t.Fatalf("the log has the line %q: %v", line, err)
		}
		_, did, _ := strings.Cut(line, " "+e.name+" ")
		e.did = strings.TrimSpace(did)
		all = append(all, e)
	}
	return all
}

// A witness reads the log of a fleet and says where two restarts mixed.
type witness struct {
	working uint64         // the token of the restart that has begun and not ended
	killed  map[int]bool   // pids of restarters that did not get to end
	pids    map[uint64]int // of the restarters, by their tokens
	there   map[string]int // pids of the children
	wholes  int            // restarts that ended
}

// bearWitness fails the test unless the restarts of the log came one after the other:
// while one works, children start under its token only, one of each name, and they end
// while one works only.
func bearWitness(t *testing.T, f fleet, killed ...int) witness {
	t.Helper()
	w := witness{killed: make(map[int]bool), pids: make(map[uint64]int), there: make(map[string]int)}
	for _, pid := range killed {
		w.killed[pid] = true
	}
	var log strings.Builder
	for _, e := range events(t, f) {
		fmt.Fprintln(&log, e)
		if wrong := w.see(e); wrong != "" {
			t.Errorf("%s, in the last line of this log of the fleet:\n%s", wrong, log.String())
		}
	}
	return w
}

func (w *witness) see(e event) string {
	begun, child := w.working, e.name != programName
	switch {
	case e.did == "begins":
		w.working, w.pids[e.token] = e.token, e.pid
		if begun != 0 && !w.killed[w.pids[begun]] {
			return "a restart begins while another works"
		}
	case e.did == "ends":
		w.working = 0
		w.wholes++
		if begun != e.token {
			return "a restart ends that did not work"
		}
	case child && e.did == "started":
		before := w.there[e.name]
		w.there[e.name] = e.pid
		if begun != e.token {
			return "a child starts for a restarter that does not work"
		}
		if before != 0 {
			return "a child starts though there is one of its name"
		}
	case child && strings.HasPrefix(e.did, "ended"):
		before := w.there[e.name]
		delete(w.there, e.name)
		if begun == 0 || begun == e.token {
			return "a child ends, and nobody is to stop it"
		}
		if before != e.pid {
			return "a child ends that was not there"
		}
	}
	return ""
}
