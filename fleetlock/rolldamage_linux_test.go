package fleetlock

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestOnAFullDiskAllLeaveTheirSlotsAndTheRecordStays(t *testing.T) {
	t.Parallel()
	dir := mountSmall(t)
	if dir == "" {
		return
	}
	path := filepath.Join(dir, "lock")
	c := newTestClock()
	label := Label(strings.Repeat("x", maxLabel))
	lock := File(path, Slots(MaxSlots), Lease(longLease), label, by(c))
	in := []*Held{mustAcquire(t, lock), mustAcquire(t, lock)}
	empty := fill(t, dir)
	for {
		h, err := lock.TryAcquire(t.Context())
		if err != nil {
			if !errors.Is(err, unix.ENOSPC) {
				t.Fatalf("on a full disk the next one is refused with %v", err)
			}
			break
		}
		if in = append(in, h); len(in) > 100 {
			t.Fatal("the disk is not full: the test shows nothing")
		}
	}
	t.Logf("%d holders had room", len(in))
	c.awaitSleepers(t, 2*len(in)) // until the next renewal, and the end of the lease
	if _, err := File(path, Slots(MaxSlots), Lease(longLease), label).TryAcquire(t.Context()); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("on a full disk another process is refused with %v", err)
	}
	for _, h := range in {
		if err := errors.Join(h.Err(), h.renewOnce()); err != nil {
			t.Errorf("on a full disk a slot is not held any more: %v", err)
		}
	}
	if err := lock.Break(t.Context(), in[0].Token(), strings.Repeat("\x01", maxWhy)); err != nil {
		t.Errorf("on a full disk a slot cannot be broken: %v", err)
	}
	ticket, err := in[1].Detach(time.Hour)
	if err != nil {
		t.Errorf("on a full disk a slot cannot be detached: %v", err)
	}
	before := c.sleeps()
	for _, h := range in[2:] {
		mustRelease(t, h)
	}
	if n := c.sleeps() - before; n > 0 {
		t.Errorf("on a full disk %d releases sleep %d times", len(in)-2, n)
	}
	if _, err := lock.Resume(t.Context(), ticket); err != nil {
		t.Errorf("on a full disk a ticket is lost: %v", err)
	}
	empty()
	mustRise(t, in[len(in)-1].Token(), mustAcquire(t, slotsOf(path, MaxSlots)))
}

func TestADiskThatDoesNotWriteLetsHoldersLeave(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"pwrite", "pread", "setlk guard", "lstat"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			path := lockPath(t)
			calls := new(caller)
			h := mustAcquire(t, hook(slotsOf(path, 2), calls.before))
			other := mustAcquire(t, slotsOf(path, 2))
			calls.set(trap{Call: call, Errno: unix.EIO, Lasts: true})
			_ = h.Release() // whatever it says
			mustRise(t, other.Token(), mustTry(t, slotsOf(path, 2)))
			mustRelease(t, other)
		})
	}
}

func mustTry(t *testing.T, l *Lock) *Held {
	t.Helper()
	h, err := l.TryAcquire(t.Context())
	if err != nil {
		t.Fatalf("the lock is not granted at once: %v", err)
	}
	return h
}

// A grant that is not on the disk does not count, and keeps nobody from the slot.
func TestASlotThatIsNotOnTheDiskIsNotGranted(t *testing.T) {
	t.Parallel()
	for _, lasts := range []bool{false, true} {
		t.Run(fmt.Sprint(lasts), func(t *testing.T) {
			t.Parallel()
			path := lockPath(t)
			other := mustAcquire(t, File(path, Slots(2), Lease(longLease)))
			calls := new(caller)
			failed := 0
			lock := hook(File(path, Slots(2), Lease(longLease)), func(call string) error {
				if err := calls.before(call); err != nil {
					return err
				}
				if call == "fdatasync" && (lasts || failed == 0) {
					failed++
					return unix.EIO
				}
				return nil
			})
			h, err := lock.TryAcquire(t.Context())
			made := calls.take()
			switch {
			case failed == 0:
				t.Error("the disk was not asked for")
			case lasts && !errors.Is(err, unix.EIO):
				t.Errorf("a grant that is not on the disk is answered with %v", err)
			case !lasts && err != nil:
				t.Errorf("a grant that is written anew is answered with %v", err)
			case !lasts && strings.Count(strings.Join(made, ";")+";", "pwrite;") < 2:
				t.Errorf("a grant is written anew by %v", made)
			}
			if err == nil {
				mustRelease(t, h)
			}
			mustRise(t, other.Token(), mustTry(t, slotsOf(path, 2)))
		})
	}
}

// A torn is the file of two slots in some state, to be damaged.
type torn struct {
	*testing.T
	path  string
	whole []byte
	last  uint64
	held  []*Held
}

func newTorn(t *testing.T, holders int) *torn {
	d := &torn{T: t, path: lockPath(t)}
	mustRelease(t, mustAcquire(t, slotsOf(d.path, 2)))
	for range holders {
		d.held = append(d.held, mustAcquire(t, slotsOf(d.path, 2)))
		d.last = d.held[len(d.held)-1].Token()
	}
	var err error
	if d.whole, err = os.ReadFile(d.path); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *torn) put(content []byte) {
	d.Helper()
	f, err := os.OpenFile(d.path, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt(content, 0)
		err = errors.Join(err, f.Truncate(int64(len(content))), f.Close())
	}
	if err != nil {
		d.Fatal(err)
	}
}

// Whichever bit of one copy is damaged, nobody gets a slot beside two who have one, and no
// token comes again.
func TestNoBitOfACopyGrantsASlotOrHasATokenFall(t *testing.T) {
	t.Parallel()
	for holders := range 3 {
		t.Run(fmt.Sprint(holders), func(t *testing.T) {
			t.Parallel()
			d := newTorn(t, holders)
			for copy := range int64(2) {
				size, _ := rollLength(d.whole[copy*rollRoom:])
				for at := 0; at < size; at += rounds(1+at%11, 1) {
					content := bytes.Clone(d.whole)
					content[copy*rollRoom+int64(at)] ^= 1 << (at % 8)
					d.put(content)
					h, err := slotsOf(d.path, 2).TryAcquire(t.Context())
					if err == nil && h.Token() <= d.last {
						t.Errorf("token %d follows token %d", h.Token(), d.last)
					}
					living := 0
					for _, has := range d.held {
						if !errors.Is(has.Err(), ErrLost) { // it may be that nobody can tell
							living++
						}
					}
					if err == nil && living == 2 {
						t.Errorf("token %d is granted beside two holders", h.Token())
					}
					if err != nil && holders == 0 {
						t.Errorf("one bad copy keeps everybody from a slot: %v", err)
					}
					if living < holders {
						t.Errorf("one bad copy costs %d of %d holders their slots", holders-living, holders)
					}
					if err == nil {
						mustRelease(t, h)
						d.put(d.whole)
					}
					if t.Failed() {
						t.Fatalf("with byte %d of copy %d damaged", at, copy)
					}
				}
			}
			d.put(d.whole)
			for _, h := range d.held {
				mustRelease(t, h)
			}
		})
	}
}

func TestTwoBadCopiesGrantNoSlotUntilRepair(t *testing.T) {
	t.Parallel()
	d := newTorn(t, 1)
	content := bytes.Clone(d.whole)
	content[30] ^= 1
	content[rollRoom+30] ^= 1
	for _, bad := range [][]byte{content, nil, make([]byte, 10), []byte("4242\n"), make([]byte, len(content))} {
		d.put(bad)
		lock := slotsOf(d.path, 2)
		_, lookErr := lock.Inspect(t.Context())
		_, tryErr := lock.TryAcquire(t.Context())
		_, waitErr := lock.Acquire(soon(t))
		for _, err := range []error{tryErr, waitErr, lookErr} {
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("two bad copies are answered with %v", err)
			}
		}
		if err := lock.Repair(t.Context(), "too early"); !errors.As(err, new(*BusyError)) {
			t.Errorf("a file whose holder lives is repaired: %v", err)
		}
	}
	if err := d.held[0].Release(); errors.Is(err, ErrLost) {
		t.Errorf("a holder lost its slot to damage: %v", err)
	}
	lock := slotsOf(d.path, 2)
	if err := lock.Repair(t.Context(), "looked after it"); err != nil {
		t.Fatalf("the file cannot be repaired: %v", err)
	}
	if info, err := lock.Inspect(t.Context()); err != nil || info.Why != "looked after it" {
		t.Errorf("after a repair the lock is %+v, %v", info, err)
	}
	mustRise(t, d.last, mustAcquire(t, lock))
}

// A copy that goes bad again and again has neither a version nor a token used twice.
func TestWhatWasLostWithACopyIsNeverUsedAgain(t *testing.T) {
	t.Parallel()
	d := newTorn(t, 0)
	book := &roll{path: d.path, options: slotsOf(d.path, 2).options}
	versions, last := make(map[uint64]bool), uint64(0)
	for round := range 8 {
		h := mustAcquire(t, slotsOf(d.path, 2))
		last = mustRise(t, last, h)
		got, err := book.Load(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if versions[got.Version] {
			t.Fatalf("version %d comes again", got.Version)
		}
		versions[got.Version] = true
		content, err := os.ReadFile(d.path)
		if err != nil {
			t.Fatal(err)
		}
		content[rollPlace(got.Version)+rollHead+3] ^= 1 // the newer
		if round%2 == 0 {
			d.put(content)
		}
	}
}

// A process may die between the two copies that it writes over a damaged one.
func TestTheSequenceOfALostRecordIsLeftOut(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	mustRelease(t, mustAcquire(t, slotsOf(path, 2)))
	book := &roll{path: path, options: slotsOf(path, 2).options}
	f, err := book.current(false)
	if err != nil {
		t.Fatal(err)
	}
	lost, err := f.read()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.file.WriteAt([]byte{0xff}, rollPlace(lost.sequence)+rollHead); err != nil {
		t.Fatal(err)
	}
	writes := 0
	f.before = func(call string) error {
		if call == "pwrite" {
			if writes++; writes == 2 {
				return unix.EIO
			}
		}
		return nil
	}
	now, err := book.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := book.Swap(t.Context(), "", now.Version, Record{Token: now.Token, Text: now.Text}); !errors.Is(err, unix.EIO) {
		t.Fatalf("the second copy was not written, and the swap says %v", err)
	}
	left, err := f.read()
	if err != nil || left.sequence <= lost.sequence {
		t.Errorf("sequence %d was lost, and %d follows, %v", lost.sequence, left.sequence, err)
	}
}

// A ticket has no process that would show that it lives, so it is in both copies.
func TestATicketOfASlotOutlivesEitherCopy(t *testing.T) {
	t.Parallel()
	for place := range int64(2) {
		d := newTorn(t, 0)
		one, two := mustAcquire(t, slotsOf(d.path, 2)), mustAcquire(t, slotsOf(d.path, 2))
		ticket, err := two.Detach(time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(d.path)
		if err != nil {
			t.Fatal(err)
		}
		content[place*rollRoom+rollHead+3] ^= 1
		d.put(content)
		mustBeBusy(t, slotsOf(d.path, 2))
		h, err := slotsOf(d.path, 2).Resume(t.Context(), ticket)
		if err != nil {
			t.Fatalf("with copy %d damaged the ticket is lost: %v", place, err)
		}
		mustRise(t, two.Token(), h)
		mustRelease(t, one)
	}
}

func TestACopyIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	now := systemClock.now()
	want := rollCopy{sequence: 7, token: 1<<63 - 1, text: `{"a":"ü"}`, terms: []rollTerm{
		{id: "h7", until: now, tied: true}, {id: strings.Repeat("w", 64)}, {id: "x", until: now.add(time.Hour)},
	}}
	b := want.encode()
	got, ok := decodeRollCopy(append(bytes.Clone(b), 1, 2, 3))
	if !ok || got.sequence != want.sequence || got.token != want.token || got.text != want.text || len(got.terms) != 3 {
		t.Fatalf("%+v is read as %+v, %t", want, got, ok)
	}
	for i, term := range got.terms {
		w := want.terms[i]
		if term.id != w.id || term.tied != w.tied || term.until.boot != w.until.boot || term.until.uptime != w.until.uptime || !term.until.wall.Equal(w.until.wall) {
			t.Errorf("the term %+v is read as %+v", w, term)
		}
	}
	for n := range b {
		if _, ok := decodeRollCopy(b[:n]); ok {
			t.Errorf("%d bytes of %d are taken for a copy", n, len(b))
		}
	}
	for at := range b {
		for bit := range 8 {
			bad := bytes.Clone(b)
			bad[at] ^= 1 << bit
			if _, ok := decodeRollCopy(bad); ok {
				t.Errorf("with bit %d of byte %d flipped it is taken for a copy", bit, at)
			}
		}
	}
}

// A term of another boot: whoever started it is dead, but for a ticket.
func TestATermOfAnotherBootIsOverUnlessItIsATickets(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	book := &roll{path: path, options: slotsOf(path, 2).options}
	f, err := book.current(true)
	if err != nil {
		t.Fatal(err)
	}
	before := systemClock.now()
	before.boot[0] ^= 1
	c := rollCopy{terms: []rollTerm{
		{id: "h1", until: before.add(time.Hour), tied: true}, {id: "h2", until: before.add(time.Hour)}, {id: "h3", until: before.add(-time.Hour)},
	}}
	r, _, err := f.record(c)
	if err != nil || len(r.Terms) != 2 || r.Terms[0].ID != "h2" || r.Terms[0].Left <= 0 || r.Terms[1].Left != 0 {
		t.Errorf("the terms are %+v, %v", r.Terms, err)
	}
}
