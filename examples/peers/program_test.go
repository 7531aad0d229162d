package main

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/internal/programtest"
)

// The test binary takes the part of the program, and of its gateways.
func TestMain(m *testing.M) {
	programtest.Main(m, main)
	closeBrowser()
}

// launch starts the program.
func launch(t *testing.T, args ...string) *programtest.Program {
	t.Helper()
	return programtest.Start(t, programtest.Command(args...))
}

// gatewaysOf returns where a program says that its gateways are.
func gatewaysOf(t *testing.T, p *programtest.Program) []string {
	t.Helper()
	var at []string
	for _, name := range []string{home, east, west} {
		at = append(at, p.Says(t, name+` +pid \d+ serves 10 tasks at https://(\S+)`)[1])
	}
	return at
}

// nobodyAt checks that nothing listens at the addresses, or soon will not.
func nobodyAt(t *testing.T, addresses []string) {
	t.Helper()
	for _, addr := range addresses {
		programtest.Eventually(t, "nobody is at "+addr, func() bool {
			conn, err := net.DialTimeout("tcp", addr, time.Second)
			if err == nil {
				conn.Close()
			}
			return errors.Is(err, syscall.ECONNREFUSED)
		})
	}
}

func TestAWrongCommandLineIsExplained(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-nonsense"}, {"east"}, {"-serve", "west"}, {"-rest", "soon"}} {
		if got := launch(t, args...).End(t); got.Code != 2 || !strings.Contains(got.Stderr, "Usage of peers") {
			t.Errorf("peers %q ends with %d, want 2 and the usage", args, got.Code)
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
	got := launch(t, "-serve", "-addr", other.Addr().String()).End(t)
	if got.Code != 1 || strings.Count(got.Stderr, "\n") != 1 || !strings.Contains(got.Stderr, other.Addr().String()) {
		t.Errorf("the program ends with %d and says %q, want 1 and one line that names %s", got.Code, got.Stderr, other.Addr())
	}
}
