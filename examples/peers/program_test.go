package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tests run the program as its users do: as processes, which are the test binary.
const asProgram = "PEERS_TEST_RUN_MAIN"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == gatewayRole || os.Getenv(asProgram) == "1" {
		main()
		os.Exit(0)
	}
	// For every process that a test starts. Under the race detector each would sleep a
	// second before it ends.
	os.Setenv("GORACE", strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0"))
	status := m.Run()
	closeBrowser()
	os.Exit(status)
}

// A program is one that was started.
type program struct {
	process *os.Process
	stdout  *notes
	stderr  *notes
	ended   chan struct{} // closed when it has ended
	err     error         // of the end
}

// launch starts the program, which is killed at the end of the test if it still runs.
func launch(t *testing.T, args ...string) *program {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	p := &program{stdout: new(notes), stderr: new(notes), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.stdout, p.stderr
	cmd.WaitDelay = patience // its gateways have its stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("the program does not start: %v", err)
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
			t.Logf("peers %q said:\n%s%s", args, p.stdout, p.stderr)
		}
	})
	return p
}

// end waits for the end of the program, and returns its exit status; -1 is a signal.
func (p *program) end(t *testing.T) int {
	t.Helper()
	eventually(t, "the program has ended", func() bool {
		select {
		case <-p.ended:
			return true
		default:
			return false
		}
	})
	var exit *exec.ExitError
	switch {
	case p.err == nil:
		return 0
	case errors.As(p.err, &exit):
		return exit.ExitCode()
	}
	t.Fatalf("the end of the program cannot be told: %v", p.err)
	return 0
}

// says waits until the program has said what matches, and returns the groups of it.
func (p *program) says(t *testing.T, pattern string) []string {
	t.Helper()
	var found []string
	eventually(t, "the program says "+pattern, func() bool {
		found = regexp.MustCompile(pattern).FindStringSubmatch(p.stdout.String())
		return found != nil
	})
	return found
}

// gateways returns where the program says that its gateways are.
func (p *program) gateways(t *testing.T) []string {
	t.Helper()
	var at []string
	for _, name := range []string{home, east, west} {
		at = append(at, p.says(t, name+` +pid \d+ serves 10 tasks at https://(\S+)`)[1])
	}
	return at
}

// nobodyAt checks that nothing listens at the addresses, or soon will not.
func nobodyAt(t *testing.T, addresses []string) {
	t.Helper()
	for _, addr := range addresses {
		eventually(t, "nobody is at "+addr, func() bool {
			conn, err := net.DialTimeout("tcp", addr, time.Second)
			if err == nil {
				conn.Close()
			}
			return errors.Is(err, syscall.ECONNREFUSED)
		})
	}
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
	for deadline := time.Now().Add(2 * patience); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s still not: %s", 2*patience, what)
		}
	}
}

func TestAWrongCommandLineIsExplained(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-nonsense"}, {"east"}, {"-serve", "west"}, {"-rest", "soon"}} {
		p := launch(t, args...)
		if code := p.end(t); code != 2 || !strings.Contains(p.stderr.String(), "Usage of peers") {
			t.Errorf("peers %q ends with %d, want 2 and the usage", args, code)
		}
	}
}

func TestABusyPortIsOneClearLine(t *testing.T) {
	t.Parallel()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	p := launch(t, "-serve", "-addr", other.Addr().String())
	code, said := p.end(t), p.stderr.String()
	if code != 1 || strings.Count(said, "\n") != 1 || !strings.Contains(said, other.Addr().String()) {
		t.Errorf("the program ends with %d and says %q, want 1 and one line that names %s", code, said, other.Addr())
	}
}
