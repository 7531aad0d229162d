//go:build unix

package pgtest

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAClusterGoesDownAndComesUpAgainWithWhatWasCommitted(t *testing.T) {
	t.Parallel()
	c := NewCluster(t)
	db := open(t, c.DSN())
	if _, err := db.Exec("CREATE TABLE things (id int); INSERT INTO things VALUES (7)"); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		c.Stop(t)
		c.Stop(t)
		if err := db.Ping(); err == nil {
			t.Fatalf("round %d: the server answers after Stop", round)
		}
		c.Start(t)
		c.Start(t)
		var id int
		if err := db.QueryRow("SELECT id FROM things").Scan(&id); err != nil || id != 7 {
			t.Fatalf("round %d: after Start the committed row reads %d, %v", round, id, err)
		}
	}
}

func TestAClusterIsGoneWhenItsTestEnds(t *testing.T) {
	t.Parallel()
	installed(t)
	var dir string
	var pid int
	t.Run("a test", func(t *testing.T) {
		dir = directoryOf(t, NewCluster(t).DSN())
		pid = postmaster(t, dir)
	})
	if running(pid) {
		t.Errorf("the postmaster %d outlives the test", pid)
	}
	if exists(dir) {
		t.Errorf("the directory %s outlives the test", dir)
	}
}

func TestAServerThatCannotStartSaysWhyAndLeavesNothing(t *testing.T) {
	t.Parallel()
	const fails = "#!/bin/sh\necho no room >&2; exit 1\n"
	const makesDirectory = "#!/bin/sh\nmkdir \"${1#--pgdata=}\"\n"
	for _, test := range []struct{ name, initdb, postgres string }{
		{"no data directory", fails, fails},
		{"no server on it", makesDirectory, fails},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			programs := t.TempDir()
			plant(t, programs, "initdb", test.initdb)
			plant(t, programs, "postgres", test.postgres)
			openToOthers(t, programs)
			dir := directoryIn("/tmp")
			c, err := launchIn(programs, dir)
			if err == nil {
				_ = c.remove()
				t.Fatal("a server that fails counts as started")
			}
			if !strings.Contains(err.Error(), "no room") {
				t.Errorf("the error keeps the reason to itself: %v", err)
			}
			awaitGone(t, dir)
		})
	}
}

func TestADirectoryThatIsThereIsLeftAlone(t *testing.T) {
	t.Parallel()
	programs := installed(t)
	dir := t.TempDir()
	openToOthers(t, dir)
	if c, err := launchIn(programs, dir); err == nil {
		_ = c.remove()
		t.Errorf("a server starts in a directory that is somebody's")
	}
	if !exists(dir) {
		t.Errorf("the directory %s was removed by a server that did not make it", dir)
	}
}

// childVariable makes this test binary, started by one of its tests, the child that
// has a server in the directory and waits to be killed.
const childVariable = "PGTEST_CHILD_DIRECTORY"

func TestAServerIsGoneAfterItsTestBinaryIsKilled(t *testing.T) {
	if dir := os.Getenv(childVariable); dir != "" {
		serveUntilKilled(t, dir)
	}
	t.Parallel()
	for _, test := range []struct {
		name string
		kill func(*testing.T, *exec.Cmd)
	}{
		{"alone", kill},
		{"with its process group", killGroup},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := directoryIn("/tmp")
			child, said := startChild(t, "TestAServerIsGoneAfterItsTestBinaryIsKilled", dir)
			if !said.Scan() || said.Text() != "up" {
				t.Fatalf("the child has no server; it says %q", said.Text())
			}
			pid := postmaster(t, dir)
			if !running(pid) || !exists(dir) {
				t.Fatalf("before the kill there is no postmaster %d or no directory %s", pid, dir)
			}
			test.kill(t, child)
			awaitGone(t, dir)
			if running(pid) {
				t.Errorf("the postmaster %d outlives its test binary", pid)
			}
		})
	}
}

func TestAServerThatIsBeingMadeIsGoneAfterItsTestBinaryIsKilled(t *testing.T) {
	if dir := os.Getenv(childVariable); dir != "" {
		serveUntilKilled(t, dir)
	}
	t.Parallel()
	for _, moment := range []string{"data", "data/PG_VERSION", "data/postmaster.pid"} {
		t.Run("once "+filepath.Base(moment)+" is there", func(t *testing.T) {
			dir := directoryIn("/tmp")
			child, _ := startChild(t, "TestAServerThatIsBeingMadeIsGoneAfterItsTestBinaryIsKilled", dir)
			await(t, "the directory "+moment, func() bool { return exists(filepath.Join(dir, moment)) })
			kill(t, child)
			awaitGone(t, dir)
		})
	}
}

func serveUntilKilled(t *testing.T, dir string) {
	if _, err := launchIn(installed(t), dir); err != nil {
		t.Fatal(err)
	}
	fmt.Println("up")
	_, _ = io.Copy(io.Discard, os.Stdin) // ends with the parent, should that die first
	os.Exit(1)
}

// installed returns the directory of the server programs.
func installed(t *testing.T) string {
	t.Helper()
	programs, err := serverPrograms()
	if err != nil {
		giveUp(t, err)
	}
	return programs
}

func startChild(t *testing.T, test, dir string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	installed(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self, "-test.run=^"+test+"$", "-test.v=false")
	child.Env = append(os.Environ(), childVariable+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = child.Process.Kill() // dead already, unless the test failed
		_ = child.Wait()
	})
	return child, bufio.NewScanner(out)
}

func kill(t *testing.T, child *exec.Cmd) {
	t.Helper()
	if err := child.Process.Kill(); err != nil {
		t.Fatalf("the child cannot be killed: %v", err)
	}
}

func killGroup(t *testing.T, child *exec.Cmd) {
	t.Helper()
	if err := syscall.Kill(-child.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatalf("the child's process group cannot be killed: %v", err)
	}
}

func postmaster(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatalf("the server has no postmaster: %v", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatalf("the first line of postmaster.pid: %v", err)
	}
	return pid
}

func running(pid int) bool {
	return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func awaitGone(t *testing.T, dir string) {
	t.Helper()
	await(t, "the end of "+dir, func() bool { return !exists(dir) })
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come in two minutes", what)
		}
	}
}

// directoryOf returns the directory of a throwaway server from its DSN.
func directoryOf(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatalf("the DSN %q is no URL: %v", dsn, err)
	}
	return u.Query().Get("host")
}

func TestAProgramLaunchesAServerWithItsSettingsAndClosesIt(t *testing.T) {
	t.Parallel()
	installed(t)
	c, err := Launch("shared_buffers = '48MB'", "autovacuum = off")
	if err != nil {
		t.Fatal(err)
	}
	dir := directoryOf(t, c.DSN())
	var buffers, vacuum string
	db, err := sql.Open("postgres", c.DSN())
	if err != nil {
		t.Fatal(err)
	}
	err = db.QueryRow("SELECT current_setting('shared_buffers'), current_setting('autovacuum')").Scan(&buffers, &vacuum)
	if err != nil || buffers != "48MB" || vacuum != "off" {
		t.Errorf("shared_buffers is %q and autovacuum %q, %v", buffers, vacuum, err)
	}
	if err := errors.Join(db.Close(), c.Close()); err != nil {
		t.Errorf("the server is not closed: %v", err)
	}
	if exists(dir) {
		t.Errorf("the directory %s outlives its server", dir)
	}
}

func TestASettingThatTheServerRefusesIsAnErrorOfTheLaunch(t *testing.T) {
	t.Parallel()
	installed(t)
	if c, err := Launch("shared_buffers = 'much'"); err == nil {
		_ = c.Close()
		t.Error("a server starts whose setting it refuses")
	}
}
