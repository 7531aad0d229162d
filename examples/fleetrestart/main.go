// Fleetrestart restarts a small fleet of real processes, a holder and some agents,
// under a fleetlock. To see what the lock is for, run this in two shells at once:
//
//	go run ./examples/fleetrestart -hold 1s
//	go run ./examples/fleetrestart -hold 1s     # waits, and says for whom
//	kill -9 PID                                 # of the first, as it prints it: the second gets in at once
//
// However the two are started, stopped or killed, their steps never mix, and the last
// one leaves a whole fleet. The fleet goes on when the program ends: -status shows it,
// -stop ends it.
//
// Read restart.go first, which is what a host has to write, and then lock.go: who waits
// for the lock says who holds it. fence.go keeps out a restarter that has lost the lock
// and does not know it yet: everything it does to the fleet shows its token, and the
// fleet refuses a token that is lower than one it has seen. The other files are what a
// host has already: processes and their pid files.
//
// The flags are:
//
//	-dir directory
//		where the lock, the pid files and the log of the fleet are: on a local file
//		system, and nobody else may write there (default fleetrestart in the user's
//		cache directory)
//	-agents N
//		how many agents the fleet has (default 3)
//	-wait duration
//		how long to wait for the lock, 0 without end (default 1m)
//	-lease duration
//		lose the lock if this program stands still for that long (default 0: never, or
//		10s with -register)
//	-register URL
//		keep the lock where other machines reach it, too, so that of all their fleets
//		one restarts at a time: postgres://user@host/database, where the table fleetlock
//		is made (not by -status), or etcd://host:port,host:port,... The fleet itself
//		stays in -dir, and remembers tokens: another register needs another directory
//	-grace duration
//		how long a process that was asked to end may take before it is killed
//		(default 2s)
//	-hold duration
//		pause before each step, to watch
//	-status
//		print the fleet and who has the lock, and change nothing
//	-stop
//		stop the fleet and do not start it again
//	-fail name
//		treat this agent, or holder, as one that this user may not stop; may be given
//		again
//
// SIGINT or SIGTERM ends the program after the step it is at; a second one at once. In
// whatever state it leaves the fleet, the next run completes the restart.
//
// The exit status, which go run does not pass on, is 0 if all went well, 1 if
// something failed or the lock was lost, 2 for a wrong command line, 75 (EX_TEMPFAIL)
// if others had the lock for as long as this program was to wait, and 130 if it was
// interrupted.
//
// A pid file says when its process began, so that another one that was given the same
// number later is left alone: by /proc on Linux, by ps(1) to the second on other
// Unixes. On Linux the process is signalled through a pidfd, so there is no moment in
// between; on other systems there is a short one. On Windows a process is not asked to
// end but killed. Only Linux was tried.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// What the program exits with.
const (
	exitFailure     = 1
	exitUsage       = 2
	exitBusy        = 75
	exitInterrupted = 130
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == childRole {
		os.Exit(beChild(os.Args[2:]))
	}
	err := run(untilSignal(), os.Args[1:], os.Stdout, os.Stderr)
	if code := exitCode(err); code != 0 {
		complain(os.Stderr, err)
		os.Exit(code)
	}
}

// untilSignal returns a context that the first SIGINT or SIGTERM ends; the second one
// ends the program.
func untilSignal() context.Context {
	ctx, stop := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		stop(fmt.Errorf("%w (%v)", errInterrupted, <-signals))
		<-signals
		os.Exit(exitInterrupted)
	}()
	return ctx
}

// errInterrupted says that the user ended the program.
var errInterrupted = errors.New("told to end")

// run is the program, until it is done or ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	asked, err := parseArguments(args, stderr)
	if err != nil {
		return err
	}
	f := fleet{dir: asked.dir}
	lock, done, err := asked.openLock(ctx)
	if err != nil {
		return explain(ctx, err, "while opening the register")
	}
	defer done() // nothing is left to lose
	if asked.status {
		return explain(ctx, showStatus(ctx, f, lock, stdout), "while looking at the lock")
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	say := &progress{w: stdout}
	say.line(programName, "pid %d, fleet in %s", os.Getpid(), f.dir)
	held, err := acquire(ctx, lock, asked.wait, say)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { say.line(programName, "%v, takes no further step", context.Cause(ctx)) })()
	r := newRestart(ctx, f, held, asked, say)
	err = errors.Join(r.run(), r.release())
	r.table(stdout)
	return err
}

func exitCode(err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.As(err, &waitError{}):
		return exitBusy
	}
	return exitFailure
}

// complain prints each of several joined errors in a line of its own.
func complain(w io.Writer, err error) {
	if errors.Is(err, errUsage) {
		return // the user has been told
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(w, "%s: %s\n", programName, line)
	}
}
