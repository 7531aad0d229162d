package fleetlock

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// strangerEnv names the lock file of a process that is only there to lock bytes.
const strangerEnv = "FEDKIT_FLEETLOCK_STRANGER"

// TestStranger is that process. Elsewhere it does nothing.
func TestStranger(t *testing.T) {
	path := os.Getenv(strangerEnv)
	if path == "" {
		return
	}
	s := openTestSession(t, path)
	lock := File(path, NoSync())
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		reply := ""
		switch in.Text() {
		case "acquire":
			_, err := lock.Acquire(timeLimit(t, time.Minute))
			reply = fmt.Sprint(err)
		case "break":
			info, err := lock.Inspect(t.Context())
			reply = fmt.Sprint(errors.Join(err, lock.Break(t.Context(), info.Holders[0].Token, "a test")))
		default:
			reply = serveStranger(s.locks, in.Text())
		}
		fmt.Printf("reply %s\n", reply)
	}
}

func serveStranger(l byteLocks, request string) string {
	var do string
	var first, last int64
	if _, err := fmt.Sscan(request, &do, &first, &last); err != nil {
		return err.Error()
	}
	var ok bool
	var err error
	switch do {
	case "exclusive":
		ok, err = l.lock(first, last, exclusive)
	case "shared":
		ok, err = l.lock(first, last, shared)
	case "unlock":
		ok, err = true, l.unlock(first, last)
	case "locked":
		ok, err = l.lockedByOther(first, last)
	}
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(ok)
}

// A stranger is another process that uses the same lock file.
type stranger struct {
	t     *testing.T
	cmd   *exec.Cmd
	input io.WriteCloser
	lines *bufio.Scanner
}

func newStranger(t *testing.T, path string) *stranger {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestStranger$", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), strangerEnv+"="+path)
	cmd.Stderr = os.Stderr
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	s := &stranger{t: t, cmd: cmd, input: in, lines: bufio.NewScanner(out)}
	t.Cleanup(s.kill)
	return s
}

// asks returns what the kernel answers to the stranger.
func (s *stranger) asks(do string, first, last int64) string {
	s.t.Helper()
	return s.does(fmt.Sprint(do, " ", first, " ", last))
}

// does returns what came of what the stranger was asked to do.
func (s *stranger) does(do string) string {
	s.t.Helper()
	if _, err := fmt.Fprintln(s.input, do); err != nil {
		s.t.Fatalf("the stranger cannot be asked for %s: %v", do, err)
	}
	for s.lines.Scan() {
		if reply, ok := strings.CutPrefix(s.lines.Text(), "reply "); ok {
			return reply
		}
	}
	s.t.Fatalf("the stranger does not answer to %s", do)
	return ""
}

func (s *stranger) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

func (s *stranger) mustSee(locked bool, when string) {
	s.t.Helper()
	if got, want := s.asks("locked", byteOf(1), byteOf(1)), fmt.Sprint(locked); got != want {
		s.t.Errorf("%s another process finds the byte locked: %s, want %s", when, got, want)
	}
}

func testOptions() options { return options{perm: 0o600, noSync: true, clock: systemClock} }

func openTestSession(t *testing.T, path string) *session {
	t.Helper()
	s, err := openSession(path, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeFile(s.file) })
	return s
}

func timeLimit(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func testPath(t *testing.T) string { return filepath.Join(t.TempDir(), "lock") }

func mustLock(t *testing.T, l byteLocks, at int64, kind int16, want bool) {
	t.Helper()
	if ok, err := l.lock(at, at, kind); ok != want || err != nil {
		t.Errorf("locking byte %#x is answered with %v, %v, want %v", at, ok, err, want)
	}
}

func mustUnlock(t *testing.T, l byteLocks, first, last int64) {
	t.Helper()
	if err := l.unlock(first, last); err != nil {
		t.Errorf("unlocking %#x to %#x: %v", first, last, err)
	}
}

func mustSeeLocked(t *testing.T, l byteLocks, first, last int64, want bool) {
	t.Helper()
	if locked, err := l.lockedByOther(first, last); locked != want || err != nil {
		t.Errorf("whether another has %#x to %#x locked is answered with %v, %v, want %v", first, last, locked, err, want)
	}
}

func TestOpenFilesOfOneProcessExcludeEachOther(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	a, b := openTestSession(t, path).locks, openTestSession(t, path).locks
	token := byteOf(1)

	mustLock(t, a, token, exclusive, true)
	mustLock(t, b, token, exclusive, false)
	mustLock(t, b, token, shared, false)
	mustLock(t, b, token+1, exclusive, true)
	mustSeeLocked(t, a, token, token, false)
	mustSeeLocked(t, b, token, token, true)
	mustSeeLocked(t, b, tokenByte, lastByte, true)

	mustUnlock(t, b, tokenByte, lastByte) // not what a has
	mustSeeLocked(t, b, token, token, true)
	mustUnlock(t, a, guardByte, token)
	mustSeeLocked(t, b, tokenByte, lastByte, false)
	mustLock(t, b, token, exclusive, true)

	mustLock(t, a, bellByte, shared, true)
	mustLock(t, b, bellByte, shared, true)
	mustLock(t, a, guardByte, exclusive, true) // the bell is shared on
	mustUnlock(t, b, bellByte, bellByte)
	mustLock(t, b, bellByte, exclusive, false)
	mustUnlock(t, a, bellByte, bellByte)
	mustLock(t, b, bellByte, exclusive, true)
}

func TestProcessesExcludeEachOtherUntilOneIsKilled(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	l := openTestSession(t, path).locks
	other := newStranger(t, path)

	if got := other.asks("exclusive", byteOf(1), byteOf(1)); got != "true" {
		t.Fatalf("another process locks a free byte: %s", got)
	}
	mustLock(t, l, byteOf(1), exclusive, false)
	mustLock(t, l, byteOf(1), shared, false)
	mustSeeLocked(t, l, byteOf(1), byteOf(1), true)
	mustSeeLocked(t, l, tokenByte, lastByte, true)
	mustLock(t, l, byteOf(2), exclusive, true)
	if got := other.asks("exclusive", byteOf(2), byteOf(2)); got != "false" {
		t.Errorf("another process locks a byte that is locked here: %s", got)
	}

	other.kill()
	// Windows takes its time.
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(time.Millisecond) {
		if ok, err := l.lock(byteOf(1), byteOf(1), exclusive); err != nil {
			t.Fatal(err)
		} else if ok {
			return
		}
	}
	t.Error("a killed process keeps its byte")
}

// The traps of POSIX locks, in which a process loses its locks because something in it
// closes the same file.
func TestALockOutlivesWhateverElseTheProcessCloses(t *testing.T) {
	t.Parallel()
	for name, close := range map[string]func(t *testing.T, path string){
		"another session": func(t *testing.T, path string) {
			closeFile(openTestSession(t, path).file)
		},
		"a view": func(t *testing.T, path string) {
			v, err := viewFile(path, testOptions())
			if err != nil {
				t.Fatal(err)
			}
			v.close()
		},
		"a session that held other bytes": func(t *testing.T, path string) {
			s := openTestSession(t, path)
			mustLock(t, s.locks, byteOf(7), exclusive, true)
			mustLock(t, s.locks, bellByte, shared, true)
			closeFile(s.file)
		},
		"a session that is found unfit": func(t *testing.T, path string) {
			o := testOptions()
			o.perm = 0o400
			if _, err := openSession(path, o); !errors.Is(err, ErrUnsafe) && hasModes {
				t.Errorf("a mode that is too wide is answered with %v", err)
			}
		},
		"the name under which the file was made": func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			closeFile(f) // as create does after it has linked the file
		},
		"what is garbage": func(t *testing.T, path string) {
			if _, err := openSession(path, testOptions()); err != nil {
				t.Fatal(err)
			}
			for range 5 {
				runtime.GC()
				time.Sleep(5 * time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := testPath(t)
			l := openTestSession(t, path).locks
			mustLock(t, l, byteOf(1), exclusive, true)
			other := newStranger(t, path)
			other.mustSee(true, "before")
			close(t, path)
			other.mustSee(true, "after closing")
			mustUnlock(t, l, byteOf(1), byteOf(1))
			other.mustSee(false, "after unlocking")
		})
	}
}

func TestAClosedFileHasNoLocks(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	a, b := openTestSession(t, path), openTestSession(t, path)
	other := newStranger(t, path)
	mustLock(t, b.locks, guardByte, exclusive, true)
	mustLock(t, a.locks, byteOf(1), exclusive, true)
	other.mustSee(true, "before")
	closeFile(a.file)
	// A child that another test has just forked has the file open until its exec(2).
	for began := time.Now(); other.asks("locked", byteOf(1), byteOf(1)) == "true" && time.Since(began) < time.Minute; {
		time.Sleep(time.Millisecond)
	}
	other.mustSee(false, "after closing")
	mustSeeLocked(t, b.locks, byteOf(1), byteOf(1), false)
	if got := other.asks("locked", guardByte, guardByte); got != "true" {
		t.Errorf("of what another session has, another process sees: %s", got)
	}
}

// What a process waits for that another one does: without inotify by looking again and
// again.
func TestALockPassesFromAKilledProcessToOneThatWaits(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	other := newStranger(t, path)
	if got := other.does("acquire"); got != "<nil>" {
		t.Fatalf("another process cannot acquire a free lock: %s", got)
	}
	lock := File(path, NoSync())
	busy := new(BusyError)
	if _, err := lock.TryAcquire(t.Context()); !errors.As(err, &busy) {
		t.Fatalf("a lock that another process holds is answered with %v", err)
	}
	if busy.Holder.PID != other.cmd.Process.Pid {
		t.Errorf("the holder is process %d, not %d", busy.Holder.PID, other.cmd.Process.Pid)
	}
	go func() {
		time.Sleep(300 * time.Millisecond) // of waiting
		_ = other.cmd.Process.Kill()
	}()
	h, err := lock.Acquire(timeLimit(t, time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if h.Token() <= busy.Holder.Token {
		t.Errorf("token %d follows %d", h.Token(), busy.Holder.Token)
	}
	if err := h.Release(); err != nil {
		t.Error(err)
	}
}

func TestAHolderIsToldOfWhatAnotherProcessDoes(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]func(t *testing.T, path string){
		"break": func(t *testing.T, path string) {
			if got := newStranger(t, path).does("break"); got != "<nil>" {
				t.Fatalf("another process cannot break the lock: %s", got)
			}
		},
		"rename": func(t *testing.T, path string) {
			if err := os.Rename(path, path+".old"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := testPath(t)
			h, err := File(path, NoSync()).TryAcquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ctx := h.Context()
			if err := h.Err(); err != nil {
				t.Fatal(err)
			}
			act(t, path)
			select {
			case <-ctx.Done():
			case <-time.After(time.Minute):
				t.Error("the holder's context goes on")
			}
			if err := h.Err(); !errors.Is(err, ErrLost) {
				t.Errorf("Err is %v", err)
			}
			if err := h.Release(); !errors.Is(err, ErrLost) {
				t.Errorf("Release returns %v", err)
			}
		})
	}
}
