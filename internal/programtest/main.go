package programtest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// variable says in the environment that the test binary is to be the program.
const variable = "FEDKIT_PROGRAMTEST_RUN_MAIN"

// Main is the TestMain of a program, and goes before everything else in it. In a process
// that is to be the program it does not return. Otherwise it runs the tests, and returns
// when they have ended; from its call on, every process of the test binary is the program,
// also one that the program or a test starts by other means than [Start].
func Main(m *testing.M, program func()) {
	if os.Getenv(variable) == "1" {
		program()
		os.Exit(0)
	}
	os.Setenv(variable, "1")
	// Under the race detector each process would sleep a second before it ends.
	os.Setenv("GORACE", strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0"))
	m.Run() // the status is kept in m, and is that of the test binary
}

// Command returns the program with these arguments, for [Start]. It is not started, and
// its environment may be changed.
func Command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = os.Environ()
	return cmd
}
