package fleetlock

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
	"time"
)

// A witness is a file outside of the lock, in which each holder leaves a line with its
// token, and which tells whether two held the lock at once.
//
// Its own lock is one of the same kind, on a byte that fleetlock does not use: when a holder
// is killed the kernel drops both at once, so that a death never looks like an overlap. Of
// two kinds it drops POSIX locks first, and those of open file descriptions some time later.
type witness struct{ path string }

const witnessByte = int64(1) << 60

// see is what a holder does while it holds the lock, for some time.
func (w witness) see(h *Held, work time.Duration) error {
	locks := sessionOf(h).locks
	alone, err := locks.lock(witnessByte, witnessByte, exclusive)
	if err != nil {
		return err
	}
	if !alone {
		return errors.Join(w.write("overlap %d\n", h.Token()), errors.New("two holders at once"))
	}
	if err := w.touch(h); err != nil {
		return err
	}
	if work > 0 {
		time.Sleep(work)
	}
	return locks.unlock(witnessByte, witnessByte)
}

// touch leaves a line only.
func (w witness) touch(h *Held) error { return w.write("token %d\n", h.Token()) }

// write appends a line whole: the kernel keeps appending writes apart.
func (w witness) write(format string, token uint64) error {
	f, err := os.OpenFile(w.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, format, token)
	return errors.Join(err, f.Close())
}

// awaitMore returns the size of the file once that is more than some size: somebody has held
// the lock meanwhile.
func (w witness) awaitMore(t *testing.T, size int64) (now int64) {
	t.Helper()
	eventually(t, "somebody holds the lock", func() bool {
		if file, err := os.Stat(w.path); err == nil {
			now = file.Size()
		}
		return now > size
	})
	return now
}

// check fails the test unless every holder was alone and got a token higher than all
// before, and returns how many there were and the last token.
func (w witness) check(t *testing.T) (holders int, last uint64) {
	t.Helper()
	text, err := os.ReadFile(w.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var token uint64
		if _, err := fmt.Sscanf(string(line), "token %d\n", &token); err != nil {
			t.Errorf("the witness saw %q after token %d", line, last)
			continue
		}
		if token <= last {
			t.Errorf("the witness saw token %d after token %d", token, last)
		}
		last = token
		holders++
	}
	return holders, last
}
