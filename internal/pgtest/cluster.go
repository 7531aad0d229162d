package pgtest

import (
	"bufio"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Cluster is a Postgres server that one test or program has for itself, to take it
// down and up again. Its methods may be called by several goroutines.
type Cluster struct {
	dir string

	mu         sync.Mutex
	supervisor *exec.Cmd
	commands   io.WriteCloser
	answers    *bufio.Scanner
}

// NewCluster starts a server and removes it at the end of the test. It needs
// installed server programs even where FEDKIT_TEST_DSN is set: another's server is
// not ours to stop.
func NewCluster(tb testing.TB) *Cluster {
	tb.Helper()
	return launchFor(tb)
}

func launchFor(tb testing.TB, primary ...string) *Cluster {
	tb.Helper()
	c, err := launch(primary...)
	if err != nil {
		giveUp(tb, err)
	}
	tb.Cleanup(func() {
		if err := c.remove(); err != nil {
			tb.Errorf("the server cannot be removed: %v", err)
		}
	})
	return c
}

// Launch starts a server for a program that is no test; whoever calls it removes it by
// [Cluster.Close]. The settings, such as "shared_buffers = '1GB'", take the place of
// those that throwaway servers have.
func Launch(settings ...string) (*Cluster, error) {
	c, err := launch()
	if err != nil {
		return nil, err
	}
	if err := c.set(settings); err != nil {
		return nil, errors.Join(err, c.remove())
	}
	return c, nil
}

// set changes settings of the server, and has it start anew with them.
func (c *Cluster) set(settings []string) error {
	if len(settings) == 0 {
		return nil
	}
	db, err := sql.Open("postgres", c.DSN())
	if err != nil {
		return err
	}
	defer db.Close()
	for _, setting := range settings {
		if _, err := db.Exec("ALTER SYSTEM SET " + setting); err != nil {
			return fmt.Errorf("the server refuses the setting %s: %w", setting, err)
		}
	}
	return errors.Join(c.command("stop"), c.command("start"))
}

// Close stops the server and waits until all of it is gone from the disk.
func (c *Cluster) Close() error { return c.remove() }

// DSN returns the URL of the server's database, for any driver. It stays the same
// when the server stops and starts.
func (c *Cluster) DSN() string {
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/postgres"}
	u.RawQuery = url.Values{"host": {c.dir}, "port": {"5432"}, "sslmode": {"disable"}}.Encode()
	return u.String()
}

// Stop takes the server down at once: connections break, and what they had not
// committed is lost. It returns when nothing listens any more. Stopping a server
// that is down does nothing.
func (c *Cluster) Stop(tb testing.TB) {
	tb.Helper()
	if err := c.command("stop"); err != nil {
		tb.Fatalf("the server does not stop: %v", err)
	}
}

// Start brings the server back with all that was committed. It returns when the
// server accepts connections. Starting a server that is up does nothing.
func (c *Cluster) Start(tb testing.TB) {
	tb.Helper()
	if err := c.command("start"); err != nil {
		tb.Fatalf("the server does not start: %v", err)
	}
}

// supervisor owns the server and its directory. It is a process apart, because no
// process cleans up after its own SIGKILL, and a shell, because that is there on
// every system that Postgres runs on with Unix sockets.
//
//go:embed supervisor.sh
var supervisor string

func launch(primary ...string) (*Cluster, error) {
	programs, err := serverPrograms()
	if err != nil {
		return nil, err
	}
	parent := os.TempDir()
	if os.Geteuid() == 0 {
		parent = "/tmp" // root's own is often closed to the user postgres
	}
	return launchIn(programs, directoryIn(parent), primary...)
}

// launchIn starts a server from the programs in one directory with its data and
// its socket in another, which must not exist. It is a standby if the directory of its
// primary is given.
func launchIn(programs, dir string, primary ...string) (*Cluster, error) {
	arguments := append([]string{"-c", supervisor, "pgtest-supervisor", programs, dir}, primary...)
	cmd := exec.Command("/bin/sh", arguments...)
	// Nothing is inherited: PGPORT, PGDATA and the like would change the server, the
	// working directory may be closed to the user postgres, and the test binary's
	// standard error would keep `go test` waiting.
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	if err := separate(cmd); err != nil {
		return nil, err
	}
	commands, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("the supervisor of the Postgres server does not start: %w", err)
	}
	c := &Cluster{dir: dir, supervisor: cmd, commands: commands, answers: bufio.NewScanner(answers)}
	if err := c.command("start"); err != nil {
		return nil, fmt.Errorf("the Postgres server in %s does not start: %w", programs, err)
	}
	return c, nil
}

// command has the supervisor do something and waits until it is done.
func (c *Cluster) command(line string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	// A supervisor that has given up reads nothing; what it wrote says why.
	_, writeErr := fmt.Fprintln(c.commands, line)
	var said []string
	for c.answers.Scan() {
		if c.answers.Text() == "ok" {
			return writeErr
		}
		said = append(said, c.answers.Text())
	}
	return fmt.Errorf("its supervisor ended and said %q", strings.Join(said, "\n"))
}

// remove stops the server and waits until its directory is gone.
func (c *Cluster) remove() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.commands.Close(); err != nil {
		return err
	}
	return c.supervisor.Wait()
}

// directoryIn names a new directory in parent, or in /tmp where parent's own name is
// too long: the path of a socket may have 104 bytes on some systems and 108 on
// others, the final NUL included.
func directoryIn(parent string) string {
	const limit = 104 - len("/.s.PGSQL.5432") - 1
	name := "fedkit-pg-" + strings.ToLower(rand.Text()[:10])
	if dir := filepath.Join(parent, name); len(dir) <= limit {
		return dir
	}
	return filepath.Join("/tmp", name)
}
