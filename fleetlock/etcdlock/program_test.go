//go:build unix

package etcdlock_test

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/etcdlock"
)

// A restarter is examples/fleetrestart, built as its readers build it.
type restarter struct{ program, dir string }

func buildRestarter(t *testing.T) restarter {
	t.Helper()
	r := restarter{filepath.Join(t.TempDir(), "fleetrestart"), filepath.Join(t.TempDir(), "fleet")}
	build := exec.Command("go", "build", "-o", r.program, ".")
	build.Dir = filepath.Join("..", "..", "examples", "fleetrestart")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("examples/fleetrestart does not build: %v\n%s", err, out)
	}
	return r
}

func (r restarter) run(t *testing.T, register string, arguments ...string) (code int, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute) // also at the end of the test
	defer cancel()
	c := exec.CommandContext(ctx, r.program, append([]string{"-dir", r.dir, "-register", register}, arguments...)...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	_ = c.Run() // the code says it
	return c.ProcessState.ExitCode(), out.String()
}

// protect has a cluster ask for the password of its user root.
func protect(t *testing.T, client *clientv3.Client, password string) {
	t.Helper()
	for _, do := range []func(context.Context) error{
		func(ctx context.Context) error { _, err := client.UserAdd(ctx, "root", password); return err },
		func(ctx context.Context) error { _, err := client.RoleAdd(ctx, "root"); return err },
		func(ctx context.Context) error { _, err := client.UserGrantRole(ctx, "root", "root"); return err },
		func(ctx context.Context) error { _, err := client.AuthEnable(ctx); return err },
	} {
		if err := do(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheRestarterOfAFleetKeepsItsLockInAnEtcdThatAsksForAPassword(t *testing.T) {
	t.Parallel()
	r := buildRestarter(t)
	open := openCluster(t)
	protect(t, open, "secret")
	endpoints := open.Endpoints()
	hosts := strings.ReplaceAll(strings.Join(endpoints, ","), "http://", "")
	known, stranger := "etcd://root:secret@"+hosts, "etcd://"+hosts

	if code, said := r.run(t, stranger, "-agents", "1"); code == 0 || !strings.Contains(said, "the register cannot be used") {
		t.Errorf("without a password the program ends with %d: %s", code, said)
	}
	t.Cleanup(func() {
		if code, said := r.run(t, known, "-stop"); code != 0 {
			t.Errorf("-stop ends with %d: %s", code, said)
		}
	})
	if code, said := r.run(t, known, "-agents", "1"); code != 0 || !strings.Contains(said, "agent-1") {
		t.Errorf("the program ends with %d: %s", code, said)
	}

	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, Username: "root", Password: "secret", DialTimeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	register, err := etcdlock.New(t.Context(), etcdlock.Config{Client: client})
	if err != nil {
		t.Fatal(err)
	}
	lock := fleetlock.On(register, "fleetrestart", fleetlock.Lease(time.Minute), fleetlock.Label("the test"))
	info, err := lock.Inspect(t.Context())
	if err != nil || !strings.HasPrefix(info.Last.Label, "fleetrestart") {
		t.Errorf("the lock was last held by %v, %v", info.Last, err)
	}
	held, err := lock.TryAcquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if code, said := r.run(t, known, "-agents", "1", "-wait", "100ms"); code == 0 || !strings.Contains(said, "the test") {
		t.Errorf("while another has the lock the program ends with %d: %s", code, said)
	}
	if err := held.Release(); err != nil {
		t.Error(err)
	}
}
