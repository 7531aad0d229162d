package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// A child is the holder or an agent: this program in another role. It does nothing but
// to be there.

const (
	// childRole is the first argument of a child; its directory and its name follow.
	childRole = "be-child"
	// tokenVariable is where a child finds the token of the restarter that starts it.
	tokenVariable = "FLEET_TOKEN"
	// readyWord is what it prints when it is there; anything else is why it is not.
	readyWord = "ready"
	// forgotten is what it logs when it ends because nobody can find it any more.
	forgotten = "ended, its pid file is not there any more"
)

// beChild is the life of a child, and returns its exit status.
func beChild(args []string) int {
	// The restarter may be dead when this one says that it is ready.
	signal.Ignore(syscall.SIGPIPE)
	told := make(chan os.Signal, 1)
	signal.Notify(told, os.Interrupt, syscall.SIGTERM)

	f, name := fleet{dir: args[0]}, args[1]
	token, err := strconv.ParseUint(os.Getenv(tokenVariable), 10, 64)
	if err == nil {
		err = f.enter(name, token)
	}
	if err != nil {
		_ = f.log(token, name, "does not start: "+err.Error())
		fmt.Println(err)
		return exitFailure
	}
	_ = f.log(token, name, "started")
	fmt.Println(readyWord)
	os.Stdout.Close()

	why := f.untilToldToEnd(name, told)
	_ = f.log(token, name, why)
	return 0
}

// enter makes this process the one of that name, unless a later restarter was here.
func (f fleet) enter(name string, token uint64) error {
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	me := pidFile{PID: os.Getpid(), Token: token, Since: time.Now()}
	var err error
	if me.Born, err = born(me.PID); err != nil {
		return err
	}
	return f.pass(ctx, token, func() error { return f.write(name, me) })
}

// untilToldToEnd also ends a child that nobody can find any more, so that a directory
// that was removed does not leave a fleet behind.
func (f fleet) untilToldToEnd(name string, told <-chan os.Signal) string {
	look := time.NewTicker(2 * time.Second)
	for {
		select {
		case s := <-told:
			return fmt.Sprintf("ended (%v)", s)
		case <-look.C:
			if p, err := f.read(name); err != nil || p.PID != os.Getpid() {
				return forgotten
			}
		}
	}
}

// startPatience is how long a child may take until it is there, also on a machine that
// is very busy.
const startPatience = time.Minute
