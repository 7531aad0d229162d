package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tests run the program as its users do: as a process, which is the test binary
// that takes the part of the gateway, or of curl where there is none.
const asGateway = "GATEWAY_TEST_RUN_MAIN"

func TestMain(m *testing.M) {
	switch {
	case filepath.Base(os.Args[0]) == "curl":
		os.Exit(curl(os.Args[1:], os.Stdout))
	case os.Getenv(asGateway) == "1":
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// patience is how long anything may take before a test gives up.
const patience = 2 * time.Minute

// A program is a gateway that was started.
type program struct {
	process *os.Process
	banner  string
	url     string
	stdout  *notes
	stderr  *notes
	ended   chan struct{} // closed when it has ended
	err     error         // of the end
}

// command returns the gateway as a process that has not started.
func command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Env = append(os.Environ(), asGateway+"=1", "FEDKIT_CURSOR_KEY=")
	return cmd
}

// start runs a gateway on a free port and waits for its banner.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	p := launch(t, command(args...))
	p.awaitBanner(t)
	return p
}

// runToEnd runs a gateway that is expected to end by itself.
func runToEnd(t *testing.T, args ...string) outcome {
	t.Helper()
	return launch(t, command(args...)).end(t)
}

// launch starts a gateway, which is killed at the end of the test if it still runs.
func launch(t *testing.T, cmd *exec.Cmd) *program {
	t.Helper()
	p := &program{stdout: new(notes), stderr: new(notes), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.stdout, p.stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("the gateway does not start: %v", err)
	}
	p.process = cmd.Process
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("gateway %q logged:\n%s", cmd.Args[1:], p.stderr)
		}
	})
	return p
}

const lastLine = "Ctrl-C stops the gateway.\n"

func (p *program) awaitBanner(t *testing.T) {
	t.Helper()
	eventually(t, "the banner is there", func() bool {
		return strings.HasSuffix(p.stdout.String(), lastLine) || p.hasEnded()
	})
	p.banner = p.stdout.String()
	if !strings.HasSuffix(p.banner, lastLine) {
		t.Fatalf("the gateway ended before its banner was complete: %q", p.banner)
	}
	line, _, _ := strings.Cut(p.banner, "\n")
	p.url = line[strings.LastIndex(line, " ")+1:]
}

func (p *program) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *program) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := p.process.Signal(sig); err != nil {
		t.Fatalf("the gateway cannot be sent %s: %v", sig, err)
	}
}

// outcome is what is left of a program that has ended.
type outcome struct {
	code           int // -1: it was killed by a signal
	stdout, stderr string
}

// end waits for the end of the program.
func (p *program) end(t *testing.T) outcome {
	t.Helper()
	eventually(t, "the gateway has ended", p.hasEnded)
	code := 0
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		t.Fatalf("the gateway's end cannot be told: %v", p.err)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return outcome{code, p.stdout.String(), p.stderr.String()}
}

// notes is a log that is read while it is written.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s still not: %s", patience, what)
		}
	}
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
	ctx, cancel := context.WithTimeout(context.Background(), patience)
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
