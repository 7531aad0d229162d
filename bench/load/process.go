package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
)

// A process is the gateway, as seen from here.
type process struct {
	greeting
	cmd     *exec.Cmd
	input   io.WriteCloser
	answers *bufio.Reader
}

// launch runs this program once more, as the gateway over a database.
func launch(ctx context.Context, dsn string, environment ...string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, program)}
	p.cmd.Env = append(append(os.Environ(), gatewayVariable+"="+dsn), environment...)
	p.cmd.Stderr = os.Stderr
	if p.input, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.answers = bufio.NewReader(output)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if err := p.read(&p.greeting); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// sample asks what the gateway holds.
func (p *process) sample() (s sample, err error) {
	if _, err := io.WriteString(p.input, "\n"); err != nil {
		return s, err
	}
	return s, p.read(&s)
}

func (p *process) read(into any) error {
	line, err := p.answers.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, into)
}

// close has the gateway end.
func (p *process) close() error { return errors.Join(p.input.Close(), p.cmd.Wait()) }
