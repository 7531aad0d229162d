package fleetlock

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"
)

// A damaged is a lock file in some state, to be damaged in every way.
type damaged struct {
	*testing.T
	path     string
	file     *os.File // past the lock
	whole    []byte
	token    uint64 // of the last grant
	holder   *Held  // who lives, if one does
	ticket   Ticket
	observer *Lock
}

// The states that a lock can be in, by what led to them.
var damagedStates = []struct {
	name string
	lead func(d *damaged)
}{
	{"free", func(d *damaged) { mustRelease(d.T, d.hold()) }},
	{"held by the living", func(d *damaged) { d.holder = d.hold() }},
	{"held by the living with a lease", func(d *damaged) { d.holder = d.hold(Lease(longLease)) }},
	{"renewed by the living", func(d *damaged) {
		d.holder = d.hold(Lease(longLease))
		if err := d.holder.renewOnce(); err != nil {
			d.Fatal(err)
		}
	}},
	{"held by the dead", func(d *damaged) {
		p := startProcess(d.T, lockSpec{Path: d.path})
		d.token = p.must(request{Do: "try"}).Token
		p.kill()
	}},
	{"detached", func(d *damaged) {
		ticket, err := d.hold().Detach(time.Hour)
		if err != nil {
			d.Fatal(err)
		}
		d.ticket = ticket
	}},
	{"broken and free", func(d *damaged) {
		h := d.hold()
		if err := d.observer.Break(d.Context(), h.Token(), "the test says so"); err != nil {
			d.Fatal(err)
		}
		if err := h.Release(); !errors.Is(err, ErrLost) {
			d.Fatal(err)
		}
	}},
}

func newDamaged(t *testing.T, lead func(d *damaged)) *damaged {
	d := &damaged{T: t, path: lockPath(t)}
	d.observer = File(d.path, NoSync())
	mustRelease(t, d.hold())
	mustRelease(t, d.hold()) // now both slots have held a grant
	lead(d)
	file, err := os.OpenFile(d.path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	d.file, d.whole = file, make([]byte, fileSize)
	if _, err := file.ReadAt(d.whole, 0); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *damaged) hold(opts ...Option) *Held {
	h := mustAcquire(d.T, File(d.path, append(opts, NoSync())...))
	d.token = h.Token()
	return h
}

// put makes the file what it is to be.
func (d *damaged) put(content []byte) {
	d.Helper()
	_, err := d.file.WriteAt(content, 0)
	if err := errors.Join(err, d.file.Truncate(int64(len(content)))); err != nil {
		d.Fatal(err)
	}
}

// mustBeSafe fails the test if the damage grants the lock to someone while another has
// it, or has a token fall, or if the lock cannot be had when it should. It leaves the
// file to be put.
func (d *damaged) mustBeSafe() {
	d.Helper()
	switch {
	case d.holder != nil:
		d.mustStayHeld()
	case d.ticket != "":
		mustBeBusy(d.T, d.observer)
	default:
		h, err := d.observer.TryAcquire(d.Context())
		if err != nil {
			d.Errorf("one bad slot keeps the lock from everybody: %v", err)
			return
		}
		if h.Token() <= d.token {
			d.Errorf("token %d follows token %d", h.Token(), d.token)
		}
		mustRelease(d.T, h)
	}
}

func (d *damaged) mustStayHeld() {
	d.Helper()
	mustBeBusy(d.T, d.observer)
	if err := d.holder.Err(); err != nil {
		d.Errorf("one bad slot costs the holder its lock: %v", err)
	}
	if info, err := d.observer.Inspect(d.Context()); err != nil || info.State != StateHeld {
		d.Errorf("one bad slot makes the lock %v, %v for those who look", info.State, err)
	}
}

func TestNoBitOfASlotMattersAlone(t *testing.T) {
	t.Parallel()
	for _, is := range damagedStates {
		t.Run(is.name, func(t *testing.T) {
			t.Parallel()
			d := newDamaged(t, is.lead)
			for at := range fileSize {
				for bit := range rounds(1, 8) {
					content := append([]byte(nil), d.whole...)
					content[at] ^= 1 << ((at + bit) % 8)
					d.put(content)
					d.mustBeSafe()
					if t.Failed() {
						t.Fatalf("with bit %d of byte %d flipped", (at+bit)%8, at)
					}
				}
			}
			d.put(d.whole)
			d.mustBeSafe()
		})
	}
}

// Whatever is left of the file, no token falls and nobody is granted what another has.
func TestNoLengthOfTheFileGrantsTheLock(t *testing.T) {
	t.Parallel()
	for _, is := range damagedStates {
		t.Run(is.name, func(t *testing.T) {
			t.Parallel()
			d := newDamaged(t, is.lead)
			for length := fileSize; length >= 0; length-- {
				d.put(d.whole[:length])
				if length >= slotSize {
					d.mustBeSafe()
				} else if _, err := d.observer.TryAcquire(t.Context()); !errors.Is(err, ErrCorrupt) {
					t.Errorf("a file without a whole slot is answered with %v", err)
				}
				if t.Failed() {
					t.Fatalf("at the length of %d bytes", length)
				}
			}
		})
	}
}

// A damaged lock goes on to be used: the holder of the state releases, is broken, or
// resumes its ticket, and the next ones come.
func TestALockWithOneBadSlotGoesOn(t *testing.T) {
	t.Parallel()
	for _, is := range damagedStates {
		for slot := range 2 {
			t.Run(fmt.Sprintf("%s slot %d", is.name, slot), func(t *testing.T) {
				t.Parallel()
				d := newDamaged(t, is.lead)
				content := append([]byte(nil), d.whole...)
				content[slot*slotSize+100] ^= 1
				d.put(content)
				last := d.token
				if d.holder != nil {
					next := waitFor(t, File(d.path, NoSync()))
					mustRelease(t, d.holder)
					h := next.mustBeGranted(t, "a release into a bad slot")
					last = mustRise(t, last, h)
				}
				if d.ticket != "" {
					h, err := File(d.path, NoSync()).Resume(t.Context(), d.ticket)
					if err != nil {
						t.Fatalf("one bad slot costs the ticket its lock: %v", err)
					}
					last = mustRise(t, last, h)
				}
				for range 4 {
					last = mustRise(t, last, mustAcquire(t, File(d.path, NoSync())))
				}
			})
		}
	}
}

// mustRise releases a hold whose token must be above the last, and returns it.
func mustRise(t *testing.T, last uint64, h *Held) uint64 {
	t.Helper()
	if h.Token() <= last {
		t.Errorf("token %d follows token %d", h.Token(), last)
	}
	mustRelease(t, h)
	return h.Token()
}

// A sector that goes bad does so again when it is written.
func TestASlotThatGoesBadTwiceGrantsNoTokenTwice(t *testing.T) {
	t.Parallel()
	for _, sameLock := range []bool{true, false} {
		for slot := range 2 {
			t.Run(fmt.Sprintf("same lock %t slot %d", sameLock, slot), func(t *testing.T) {
				d := newDamaged(t, damagedStates[0].lead)
				spoil := func() {
					if _, err := d.file.WriteAt([]byte{0xff, 0xff}, int64(slot*slotSize+100)); err != nil {
						t.Fatal(err)
					}
				}
				spoil()
				first, err := d.observer.TryAcquire(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				spoil()
				other := d.observer
				if !sameLock {
					other = File(d.path, NoSync())
				}
				if second, err := other.TryAcquire(t.Context()); err == nil {
					if first.Err() == nil && second.Err() == nil {
						t.Errorf("tokens %d and %d are both held", first.Token(), second.Token())
					}
					_ = second.Release()
				}
				_ = first.Release() // it may have been told that it is lost
				mustFollow(t, d.path, first.Token())
			})
		}
	}
}

func TestTwoBadSlotsGrantNothingUntilRepair(t *testing.T) {
	t.Parallel()
	for _, is := range damagedStates {
		for name, spoil := range map[string]func(content []byte){
			"a bit of each": func(content []byte) {
				content[100] ^= 1
				content[slotSize+100] ^= 1
			},
			"zeros": func(content []byte) { clear(content) },
		} {
			t.Run(is.name+" "+name, func(t *testing.T) {
				t.Parallel()
				d := newDamaged(t, is.lead)
				content := append([]byte(nil), d.whole...)
				spoil(content)
				d.put(content)
				d.observer = File(d.path, NoSync()) // it has seen nothing else
				d.mustBeRepaired()
			})
		}
	}
}

func (d *damaged) mustBeRepaired() {
	d.Helper()
	d.mustBeCorrupt()
	if d.holder != nil {
		busy := new(BusyError)
		if err := d.observer.Repair(d.Context(), "too early"); !errors.As(err, &busy) {
			d.Errorf("a lock whose holder lives is repaired: %v", err)
		}
		d.mustBeCorrupt()
		if err := d.holder.Release(); errors.Is(err, ErrLost) {
			d.Errorf("a holder lost its lock to damage: %v", err)
		}
		d.mustBeCorrupt()
	}
	if err := d.observer.Repair(d.Context(), "looked after it"); err != nil {
		d.Fatalf("the lock cannot be repaired: %v", err)
	}
	if info, err := File(d.path).Inspect(d.Context()); err != nil || info.State != StateFree || info.Why != "looked after it" {
		d.Errorf("after a repair the lock is %+v, %v", info, err)
	}
	mustFollow(d.T, d.path, d.token)
}

// mustBeCorrupt fails the test unless every method says so.
func (d *damaged) mustBeCorrupt() {
	d.Helper()
	for name, err := range map[string]error{
		"TryAcquire": second(d.observer.TryAcquire(d.Context())),
		"Acquire":    second(d.observer.Acquire(soon(d.T))),
		"Inspect":    second(d.observer.Inspect(d.Context())),
		"Resume":     second(d.observer.Resume(d.Context(), newTicket(d.token, make([]byte, secretSize)))),
		"Break":      d.observer.Break(d.Context(), d.token, "the test says so"),
	} {
		if !errors.Is(err, ErrCorrupt) {
			d.Errorf("%s answers two bad slots with %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestARepairOfAHealthyLockChangesNothing(t *testing.T) {
	t.Parallel()
	for _, is := range damagedStates {
		t.Run(is.name, func(t *testing.T) {
			t.Parallel()
			d := newDamaged(t, is.lead)
			if err := d.observer.Repair(t.Context(), "for no reason"); err != nil && d.holder == nil {
				t.Errorf("a healthy lock is answered with %v", err)
			}
			d.mustBeSafe()
		})
	}
}

// A file that was made by someone else, such as by touch.
func TestAFileThatIsNoLockIsCorrupt(t *testing.T) {
	t.Parallel()
	for name, content := range map[string][]byte{
		"empty": nil, "short": []byte("4242\n"), "zeros": make([]byte, fileSize), "long text": make([]byte, 10*fileSize),
	} {
		t.Run(name, func(t *testing.T) {
			path := lockPath(t)
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			l := File(path)
			if _, err := l.TryAcquire(t.Context()); !errors.Is(err, ErrCorrupt) {
				t.Errorf("a file that is no lock is answered with %v", err)
			}
			if err := l.Repair(t.Context(), "it is to be one"); err != nil {
				t.Fatal(err)
			}
			mustRelease(t, mustAcquire(t, l))
		})
	}
}
