package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A fleet is what stands in its directory: a pid file for each process, and a log that
// all of them write.
type fleet struct{ dir string }

func (f fleet) path(name string) string { return filepath.Join(f.dir, name) }

// The holder is started first and stopped last.
const holderName = "holder"

func agentName(i int) string { return fmt.Sprintf("agent-%d", i) }

func isName(name string) bool {
	number, isAgent := strings.CutPrefix(name, "agent-")
	i, err := strconv.Atoi(number)
	return name == holderName || isAgent && err == nil && name == agentName(i)
}

// A pidFile is a process of the fleet, as it wrote it down itself.
type pidFile struct {
	PID   int
	Token uint64 // under which it was started
	Since time.Time
	Born  string // tells it from another process that has its number later
}

const pidSuffix = ".pid"

// read returns the pid file of a name, and fs.ErrNotExist if there is none.
func (f fleet) read(name string) (p pidFile, err error) {
	text, err := os.ReadFile(f.path(name + pidSuffix))
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(text, &p); err != nil || p.PID <= 0 || p.Born == "" {
		return p, fmt.Errorf("%s is no pid file (%w); remove it when you have seen that %s does not run",
			f.path(name+pidSuffix), cmp.Or(err, errors.New("no process")), name)
	}
	return p, nil
}

func (f fleet) write(name string, p pidFile) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return replaceFile(f.path(name+pidSuffix), append(text, '\n'))
}

// remove forgets a name; that is no error if it is not known.
func (f fleet) remove(name string) error {
	err := os.Remove(f.path(name + pidSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// names are those that have a pid file, the holder first.
func (f fleet) names() ([]string, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), pidSuffix); ok && isName(name) {
			names = append(names, name)
		}
	}
	sortNames(names)
	return names, nil
}

// sortNames puts the holder first, and agent-2 before agent-10.
func sortNames(names []string) {
	slices.SortFunc(names, func(a, b string) int {
		if a == holderName || b == holderName {
			return cmp.Compare(b, a)
		}
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
}

// openLog opens the log to write lines at its end, each by one write, so that the lines
// of several processes do not mix.
func (f fleet) openLog() (*os.File, error) {
	return os.OpenFile(f.path("fleet.log"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
}

// log writes down what happened under a token.
func (f fleet) log(token uint64, name, event string) error {
	w, err := f.openLog()
	if err != nil {
		return err
	}
	defer w.Close()
	_, err = fmt.Fprintf(w, "%s token=%d pid=%d %s %s\n", time.Now().Format(time.RFC3339Nano), token, os.Getpid(), name, event)
	return err
}
