package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A process is a gateway that runs: this program in another role.
type process struct {
	pid   int
	addr  string
	cmd   *exec.Cmd
	stdin io.Closer     // closed, it ends the gateway
	ended chan struct{} // closed when it has ended
}

// patience is how long a process may take to start or to end.
const patience = time.Minute

// startProcess starts a gateway with its card, and waits until it serves.
func startProcess(ctx context.Context, c card) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, gatewayRole)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{pid: cmd.Process.Pid, cmd: cmd, stdin: stdin, ended: make(chan struct{})}
	ready := make(chan error, 1)
	go func() {
		defer close(p.ended)
		ready <- p.introduce(c, stdin, stdout)
		cmd.Wait() // how it ended says nothing: it may have been killed
	}()
	select {
	case err = <-ready:
	case <-time.After(patience):
		err = fmt.Errorf("it does not serve after %s", patience)
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		p.kill()
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	return p, nil
}

// introduce tells the process who it is, and hears where it serves.
func (p *process) introduce(c card, stdin io.Writer, stdout io.Reader) error {
	if err := json.NewEncoder(stdin).Encode(c); err != nil {
		return err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return errors.New("it ended before it served")
	}
	p.addr = strings.TrimSpace(line)
	return nil
}

// kill ends the process as a crash does, and waits for its end.
func (p *process) kill() {
	p.cmd.Process.Kill() // fails if it has ended, which is as good
	<-p.ended
}

// stop tells the process to end, and waits for its end.
func (p *process) stop() {
	p.stdin.Close()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.kill()
	}
}
