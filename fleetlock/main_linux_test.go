package fleetlock

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// What makes the test binary another process of a test, by the environment.
const (
	processEnv = "FEDKIT_FLEETLOCK_PROCESS" // the lock that it is to use
	sleeperEnv = "FEDKIT_FLEETLOCK_SLEEPER" // it only lives
	aloneEnv   = "FEDKIT_FLEETLOCK_ALONE"   // the name of a test that runs alone
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(sleeperEnv) != "":
		time.Sleep(time.Minute) // nobody outlives a test for longer
	case os.Getenv(processEnv) != "":
		serveProcess(os.Getenv(processEnv))
	default:
		os.Exit(m.Run())
	}
}

// rounds is how often a test tries what chance decides: few times in short, many times
// with FEDKIT_TORTURE=1.
func rounds(short, long int) int {
	if os.Getenv("FEDKIT_TORTURE") != "" {
		return long
	}
	return short
}

// alone runs the calling test in a process of its own, where no other test opens
// descriptors, starts goroutines or changes limits. It reports true there.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(aloneEnv) == t.Name() {
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), aloneEnv+"="+t.Name())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("alone in its process: %v\n%s", err, out)
	}
	return false
}

// privileged reports whether the test may mount file systems, make devices and
// namespaces, and become another user.
func privileged() bool { return os.Geteuid() == 0 }
