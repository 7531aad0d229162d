package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

const programName = "fleetrestart"

// arguments are what the command line asks for.
type arguments struct {
	dir      string // absolute
	register string // a URL, or empty
	agents   int
	wait     time.Duration // zero: without end
	lease    time.Duration // zero: none
	grace    time.Duration
	hold     time.Duration
	status   bool
	stop     bool
	fail     map[string]bool // names of those that cannot be stopped
}

// errUsage says that the command line makes no sense, and that the user has been
// told so.
var errUsage = errors.New("wrong command line")

// maxAgents keeps a slip of the finger from filling the process table.
const maxAgents = 50

// parseArguments reads the command line, and explains to w what is wrong with it.
func parseArguments(args []string, w io.Writer) (arguments, error) {
	a := arguments{fail: make(map[string]bool)}
	flags := flag.NewFlagSet(programName, flag.ContinueOnError)
	flags.SetOutput(w)
	flags.StringVar(&a.dir, "dir", "", "keep the lock, the pid files and the log in this `directory`, on a local file system\n"+
		"(default "+programName+" in the user's cache directory)")
	flags.IntVar(&a.agents, "agents", 3, "have `N` agents")
	flags.DurationVar(&a.wait, "wait", time.Minute, "wait this long for the lock, 0 without end")
	flags.DurationVar(&a.lease, "lease", 0, "lose the lock if this program stands still for that long, 0 never")
	flags.StringVar(&a.register, "register", "", "keep the lock at this `URL`, postgres://... or etcd://..., for several machines")
	flags.DurationVar(&a.grace, "grace", 2*time.Second, "kill a process that takes longer to end")
	flags.DurationVar(&a.hold, "hold", 0, "pause before each step, to watch")
	flags.BoolVar(&a.status, "status", false, "print the fleet and who has the lock, and change nothing")
	flags.BoolVar(&a.stop, "stop", false, "stop the fleet and do not start it again")
	flags.Func("fail", "treat the agent, or holder, of this `name` as one that cannot be stopped; may be given again",
		func(name string) error { a.fail[name] = true; return nil })
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return a, err
	case err != nil:
		return a, errUsage
	}
	if mistake := a.mistake(flags.Args()); mistake != "" {
		fmt.Fprintln(w, mistake)
		flags.Usage()
		return a, errUsage
	}
	return a.withDirectory()
}

// mistake says what makes no sense, and is empty if all does.
func (a arguments) mistake(rest []string) string {
	if len(rest) > 0 {
		return fmt.Sprintf("unexpected argument %q", rest[0])
	}
	for name := range a.fail {
		if !isName(name) {
			return fmt.Sprintf("-fail takes %s or %s, not %q", holderName, agentName(1), name)
		}
	}
	if mistake := registerMistake(a.register); mistake != "" {
		return mistake
	}
	switch {
	case a.status && a.stop:
		return "-status changes nothing, so it does not go with -stop"
	case a.agents < 1 || a.agents > maxAgents:
		return fmt.Sprintf("-agents takes a number from 1 to %d, not %d", maxAgents, a.agents)
	case min(a.wait, a.lease, a.grace, a.hold) < 0:
		return "a duration is not negative"
	}
	return ""
}

// withDirectory finds the place of the fleet.
func (a arguments) withDirectory() (arguments, error) {
	if a.dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return a, fmt.Errorf("no place for the fleet, use -dir: %w", err)
		}
		a.dir = filepath.Join(cache, programName)
	}
	var err error
	a.dir, err = filepath.Abs(a.dir)
	return a, err
}

// names are those of the fleet that is asked for.
func (a arguments) names() []string {
	if a.stop {
		return nil
	}
	names := []string{holderName}
	for i := range a.agents {
		names = append(names, agentName(i+1))
	}
	return names
}
