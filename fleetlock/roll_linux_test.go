package fleetlock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// share takes a slot a number of times, or for ever, before a witness.
func (v *server) share(r request) (done int, err error) {
	w := witness{r.Path}
	for ; r.Times == 0 || done < r.Times; done++ {
		last, err := w.highest()
		if err != nil {
			return done, err
		}
		h, err := v.lock.Acquire(context.Background())
		if err != nil {
			return done, errors.Join(err, w.write("error %d\n", last))
		}
		if h.Token() <= last {
			return done, w.write("fallen %d\n", h.Token())
		}
		if err := w.seeSlot(h, v.lock.options.slots); err != nil {
			return done, err
		}
		time.Sleep(r.TTL)
		if err := errors.Join(markSlot(h, 0, int64(v.lock.options.slots), unix.F_UNLCK), h.Release()); err != nil {
			return done, errors.Join(err, w.write("error %d\n", h.Token()))
		}
	}
	return done, nil
}

// seeSlot notes a holder, who has one byte of as many as there are slots: if there is none
// left for it, there are too many holders. The kernel drops the byte with the slot.
func (w witness) seeSlot(h *Held, slots int) error {
	for i := range int64(slots) {
		err := markSlot(h, i, 1, unix.F_WRLCK)
		if err == nil {
			return w.touch(h)
		}
		if !errors.Is(err, unix.EAGAIN) {
			return err
		}
	}
	return w.write("overlap %d\n", h.Token())
}

func markSlot(h *Held, first, n int64, kind int16) error {
	lock := unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: witnessByte + first, Len: n}
	return unix.FcntlFlock(sessionOf(h).file.Fd(), unix.F_OFD_SETLK, &lock)
}

// highest is the highest token that a holder has noted.
func (w witness) highest() (highest uint64, err error) {
	tokens, err := w.tokens()
	for _, token := range tokens {
		highest = max(highest, token)
	}
	return highest, err
}

// tokens returns what holders have noted, or the first line that is not of a good holder.
func (w witness) tokens() (tokens []uint64, err error) {
	text, err := os.ReadFile(w.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	seen := make(map[uint64]bool)
	for line := range strings.Lines(string(text)) {
		var token uint64
		if _, err := fmt.Sscanf(line, "token %d\n", &token); err != nil {
			return nil, fmt.Errorf("the witness saw %q", line)
		}
		if seen[token] {
			return nil, fmt.Errorf("the witness saw token %d twice", token)
		}
		seen[token] = true
		tokens = append(tokens, token)
	}
	return tokens, nil
}

func slotsOf(path string, n int, more ...Option) *Lock {
	return File(path, append([]Option{Slots(n), Lease(longLease), NoSync()}, more...)...)
}

// Seven processes take three slots as fast as they can, and one after another is killed
// wherever it is. Their leases last longer than the test: a slot is free because its
// holder is dead.
func TestProcessesThatAreKilledAtRandomNeverHoldMoreThanTheSlots(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	seen := witness{path + ".witness"}
	start := func(i int) *process {
		p := startProcess(t, lockSpec{Path: path, Slots: 3, Lease: longLease, Label: fmt.Sprint(i), Sync: i == 0})
		p.send(request{Do: "share", Path: seen.path, TTL: time.Duration(i) * time.Millisecond / 2})
		return p
	}
	crowd := make([]*process, 7)
	for i := range crowd {
		crowd[i] = start(i)
	}
	size := int64(0)
	for range rounds(30, 3000) {
		size = seen.awaitMore(t, size)
		time.Sleep(rand.N(30 * time.Millisecond))
		i := rand.N(len(crowd))
		crowd[i].kill()
		crowd[i] = start(i)
	}
	for _, p := range crowd {
		p.kill()
	}
	last, err := seen.highest()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // as many as there are dead, and nobody has to be waited for
		h, err := slotsOf(path, 3).TryAcquire(t.Context())
		if err != nil {
			t.Fatalf("a slot cannot be had after its holder is dead: %v", err)
		}
		if h.Token() <= last {
			t.Errorf("token %d follows token %d", h.Token(), last)
		}
		last = h.Token()
		defer h.Release()
	}
	mustBeBusy(t, slotsOf(path, 3))
}

// waitForSlot returns when a process stands in line.
func waitForSlot(t *testing.T, path string, p *process, ahead int) {
	t.Helper()
	p.send(request{Do: "acquire"})
	book := &roll{path: path, options: slotsOf(path, 2).options, reads: true}
	for range patiently / time.Millisecond {
		got, err := book.Load(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if l, err := decodeLedger(got.Text); err == nil && len(l.Line) > ahead {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("nobody stands in line")
}

func TestTheSlotOfAKilledProcessIsFreeAtOnceAndItsPlaceInTheLineToo(t *testing.T) {
	t.Parallel()
	spec := lockSpec{Path: lockPath(t), Slots: 2, Lease: longLease}
	crowd := make([]*process, 5)
	for i := range crowd {
		crowd[i] = startProcess(t, spec)
	}
	crowd[0].must(request{Do: "acquire"})
	last := crowd[1].must(request{Do: "acquire"}).Token
	for i, p := range crowd[2:] {
		waitForSlot(t, spec.Path, p, i)
	}
	crowd[2].kill()
	crowd[3].kill()
	began := time.Now()
	crowd[0].kill()
	answer, err := crowd[4].receive()
	if err := errors.Join(err, answer.err()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > longLease/8 {
		t.Errorf("the slot of a killed process is granted after %v", took)
	} else {
		t.Logf("the slot of a killed process is granted after %v", took)
	}
	if answer.Token <= last {
		t.Errorf("token %d follows token %d", answer.Token, last)
	}
	crowd[1].must(request{Do: "ask"})
	mustBeBusy(t, slotsOf(spec.Path, 2))
}

func TestAProcessThatStandsStillLosesItsSlotWithItsLease(t *testing.T) {
	t.Parallel()
	const lease = 800 * time.Millisecond
	spec := lockSpec{Path: lockPath(t), Slots: 2, Lease: longLease}
	lives := startProcess(t, spec)
	short := spec
	short.Lease = lease
	stopped := startProcess(t, short)
	began := time.Now()
	stopped.must(request{Do: "acquire"})
	lives.must(request{Do: "acquire"})
	stopped.stop()
	h, err := spec.lock().Acquire(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < lease {
		t.Errorf("the slot of a process that stands still is granted after %v", took)
	}
	stopped.resume()
	if err := stopped.do(request{Do: "ask"}).err(); !errors.Is(err, ErrLost) {
		t.Errorf("who stood still longer than its lease is told %v", err)
	}
	lives.must(request{Do: "ask"})
	mustRelease(t, h)
}

func TestATicketOfASlotOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	spec := lockSpec{Path: lockPath(t), Slots: 2, Lease: longLease}
	p := startProcess(t, spec)
	token := p.must(request{Do: "acquire"}).Token
	ticket := p.must(request{Do: "detach", TTL: time.Hour}).Ticket
	p.kill()
	lock := slotsOf(spec.Path, 2)
	one := mustAcquire(t, lock)
	if holder := mustBeBusy(t, lock); !holder.Detached && holder.Token != one.Token() {
		t.Errorf("beside a ticket and a holder, the holder is %v", holder)
	}
	h, err := lock.Resume(t.Context(), ticket)
	if err != nil {
		t.Fatalf("the ticket is lost with the process: %v", err)
	}
	if h.Token() <= token {
		t.Errorf("token %d follows token %d", h.Token(), token)
	}
	mustRelease(t, h)
	mustRelease(t, one)
}

func TestASlotsFileAndAPlainOneAreNotTakenForEachOther(t *testing.T) {
	t.Parallel()
	slots, plain, c := lockPath(t), lockPath(t), newTestClock()
	for _, held := range []bool{false, true} {
		a, b := mustAcquire(t, slotsOf(slots, 2)), mustAcquire(t, File(plain, NoSync()))
		if !held {
			mustRelease(t, a)
			mustRelease(t, b)
		}
		for name, wrong := range map[string]*Lock{
			"a file with slots used without":      File(slots, NoSync(), by(c)),
			"a file without slots used with them": slotsOf(plain, 2, by(c)),
		} {
			_, tryErr := wrong.TryAcquire(t.Context())
			_, waitErr := wrong.Acquire(soon(t))
			_, lookErr := wrong.Inspect(t.Context())
			for what, err := range map[string]error{
				"TryAcquire": tryErr, "Acquire": waitErr, "Inspect": lookErr, "Repair": wrong.Repair(t.Context(), "no"),
			} {
				if !errors.Is(err, ErrUnsafe) {
					t.Errorf("%s: %s answers with %v", name, what, err)
				}
			}
		}
		if n := c.sleeps(); n > 0 {
			t.Errorf("that is refused after %d sleeps", n)
		}
		if held {
			mustRelease(t, a)
			mustRelease(t, b)
		}
	}
}

func TestAFileThatIsNotSafeIsRefusedForSlotsAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole")
	mustRelease(t, mustAcquire(t, slotsOf(whole, 2)))
	link, wide, pipe := filepath.Join(dir, "link"), filepath.Join(dir, "wide"), filepath.Join(dir, "pipe")
	text, err := os.ReadFile(whole)
	if err := errors.Join(err, os.Symlink(whole, link), os.WriteFile(wide, text, 0o600), os.Chmod(wide, 0o644), unix.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		path string
		want error
	}{
		{link, ErrUnsafe}, {wide, ErrUnsafe}, {pipe, ErrUnsafe}, {dir, ErrUnsafe}, {filepath.Join(dir, "nowhere", "lock"), fs.ErrNotExist},
	} {
		c := newTestClock()
		if _, err := slotsOf(test.path, 2, by(c)).TryAcquire(t.Context()); !errors.Is(err, test.want) {
			t.Errorf("%s is answered with %v", test.path, err)
		}
		if n := c.sleeps(); n > 0 {
			t.Errorf("%s is refused after %d sleeps", test.path, n)
		}
	}
	if id, err := os.Lstat(whole); err != nil || id.Mode() != 0o600 {
		t.Errorf("a new file has the mode %v, %v", id.Mode(), err)
	}
	if list, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(list) > 0 {
		t.Errorf("a new file left %v, %v", list, err)
	}
}

func TestToInspectSlotsMakesNoFile(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	if info, err := slotsOf(path, 2).Inspect(t.Context()); err != nil || info.State != StateFree {
		t.Errorf("slots that nobody has had are %v, %v", info.State, err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("to inspect slots made a file: %v", err)
	}
	h := mustAcquire(t, slotsOf(path, 2, Label("one")))
	defer h.Release()
	info, err := slotsOf(path, 2).Inspect(t.Context())
	if err != nil || info.State != StateFree {
		t.Errorf("with one slot of two taken, the lock is %v, %v", info.State, err)
	}
}

func TestWhoHasASlotIsToldThatTheFileIsGone(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(path string) error{
		"removed": os.Remove, "moved": func(path string) error { return os.Rename(path, path+".old") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := lockPath(t)
			h := mustAcquire(t, slotsOf(path, 2))
			ctx := h.Context()
			time.Sleep(60 * time.Millisecond) // until it listens
			if err := do(path); err != nil {
				t.Fatal(err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(patiently):
				t.Error("nobody told the holder")
			}
			if err := h.Err(); !errors.Is(err, ErrLost) {
				t.Errorf("Err is %v", err)
			}
			mustRise(t, h.Token(), mustAcquire(t, slotsOf(path, 2)))
		})
	}
}

// Many who want the same token at once are told that they were not granted it, which
// takes nothing from who was.
func TestGoroutinesThatShareALockHoldAsManySlotsAsThereAre(t *testing.T) {
	t.Parallel()
	const slots = 2
	path := lockPath(t)
	lock, other := slotsOf(path, slots), slotsOf(path, slots)
	for range rounds(40, 2000) {
		start := make(chan struct{})
		granted := make(chan *Held, 8)
		for range cap(granted) {
			go func() {
				<-start
				h, err := lock.TryAcquire(t.Context())
				if err != nil && !errors.As(err, new(*BusyError)) {
					t.Errorf("who is late is told %v", err)
				}
				granted <- h
			}()
		}
		close(start)
		var in []*Held
		for range cap(granted) {
			if h := <-granted; h != nil {
				in = append(in, h)
			}
		}
		if len(in) != slots {
			t.Errorf("%d of %d slots were granted", len(in), slots)
		}
		mustBeBusy(t, other)
		for _, h := range in {
			mustRelease(t, h)
		}
		if t.Failed() {
			return
		}
	}
}
