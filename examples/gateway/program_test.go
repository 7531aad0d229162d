package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/internal/programtest"
)

// The test binary takes the part of the gateway, and of curl where there is none.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "curl" {
		os.Exit(curl(os.Args[1:], os.Stdout))
	}
	programtest.Main(m, main)
}

// A program is a gateway that was started, and serves.
type program struct {
	*programtest.Program
	banner string
	url    string
}

// command returns a gateway on a free port that has not started.
func command(args ...string) *exec.Cmd {
	cmd := programtest.Command(append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Env = append(cmd.Env, "FEDKIT_CURSOR_KEY=")
	return cmd
}

// start runs a gateway and waits for its banner.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	return served(t, programtest.Start(t, command(args...)))
}

// startSmall runs a gateway of one task, which is there sooner.
func startSmall(t *testing.T, args ...string) *program {
	t.Helper()
	return start(t, append([]string{"-fixture", writeFixture(t, oneTask)}, args...)...)
}

// served waits for the banner of a gateway.
func served(t *testing.T, p *programtest.Program) *program {
	t.Helper()
	found := p.Says(t, `(?s)\A.*? (http://\S+)\n.*Ctrl-C stops the gateway\.\n\z`)
	return &program{p, found[0], found[1]}
}

// runToEnd runs a gateway that is expected to end by itself.
func runToEnd(t *testing.T, args ...string) programtest.Outcome {
	t.Helper()
	return programtest.Start(t, command(args...)).End(t)
}

// curl does what the printed commands need of the real one.
func curl(args []string, w io.Writer) int {
	var url, body string
	header := make(http.Header)
	for ; len(args) > 0; args = args[1:] {
		switch args[0] {
		case "-H":
			name, value, _ := strings.Cut(args[1], ": ")
			header.Add(name, value)
			args = args[1:]
		case "-d":
			body, args = args[1], args[1:]
		default:
			url = args[0]
		}
	}
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	ctx, cancel := context.WithTimeout(context.Background(), programtest.Patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 7
	}
	defer response.Body.Close()
	io.Copy(w, response.Body)
	return 0
}
