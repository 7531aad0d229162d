package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// start starts a process, unless it may still be there.
func (r *restart) start(ctx context.Context, row *row) error {
	if row.blocked {
		r.say.line(row.name, "not started, since it was not stopped")
		return nil
	}
	pid, err := r.fleet.launch(ctx, row.name, r.held.Token())
	if err != nil {
		row.state += ", not started"
		return err
	}
	row.after = pid
	switch row.state {
	case "stopped":
		row.state = "restarted"
	case "killed":
		row.state = "killed, restarted"
	default:
		row.state = "started"
	}
	r.say.line(row.name, "started pid %d with %s=%d", pid, tokenVariable, r.held.Token())
	return nil
}

// launch starts a child and waits until it is there. Its errors and its end are its
// own: it survives this process.
func (f fleet) launch(ctx context.Context, name string, token uint64) (pid int, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	log, err := f.openLog()
	if err != nil {
		return 0, err
	}
	defer log.Close()
	hear, tell, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(self, childRole, f.dir, name)
	cmd.Dir = f.dir
	cmd.Env = append(os.Environ(), tokenVariable+"="+strconv.FormatUint(token, 10))
	cmd.Stdout, cmd.Stderr = tell, log
	detach(cmd)
	err = cmd.Start()
	tell.Close()
	if err != nil {
		hear.Close()
		return 0, err
	}
	go cmd.Wait() // leaves no zombie, should it end before this process does
	if err := awaitReady(ctx, hear); err != nil {
		_ = cmd.Process.Kill()
		return 0, err
	}
	return cmd.Process.Pid, nil
}

// awaitReady waits for the word of a child, and closes the pipe when there is one.
func awaitReady(ctx context.Context, hear io.ReadCloser) error {
	words := make(chan string, 1)
	go func() {
		defer hear.Close()
		word, _ := bufio.NewReader(hear).ReadString('\n')
		words <- strings.TrimSpace(word)
	}()
	select {
	case word := <-words:
		switch word {
		case readyWord:
			return nil
		case "":
			return errors.New("it ended before it was there, see fleet.log")
		}
		return errors.New(word)
	case <-time.After(startPatience):
		return fmt.Errorf("it is not there after %s", startPatience)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
