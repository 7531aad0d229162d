package model

import (
	"strings"
	"testing"
)

func TestCallsAreThoseOfTheProtocol(t *testing.T) {
	t.Parallel()
	const grant = "pread, setlk G, pread, setlk L, pwrite, unlock G, fdatasync, lstat"
	const inherit = "setlk G, pread, pwrite, unlock G, fdatasync, lstat"
	const release = "setlk G, pread, pwrite, unlock G, unlock L, getlk W"
	for scenario, want := range map[string]string{
		Uncontended: grant + ", " + release,
		Contended:   "pread, getlk L, inotify_add_watch, setlk W, pread, getlk L, " + inherit + ", " + release + ", unlock W",
		HandOver:    "setlk G, pread, unlock L, utimensat",
		TakeOver:    strings.Replace(grant, "pread", "pread, getlk L", 1),
		"no such":   "",
	} {
		if got := strings.Join(Calls(scenario), ", "); got != want {
			t.Errorf("the calls of %s are %s; the protocol wants %s", scenario, got, want)
		}
	}
}
