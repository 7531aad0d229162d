//go:build unix && (!linux || fleetlock_posix)

package fleetlock

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Without this the other tests would pass with any backend, and show nothing.
func TestTheKernelDropsTheLocksOfAProcessThatClosesTheFileElsewhere(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	l := openTestSession(t, path).locks
	mustLock(t, l, byteOf(1), exclusive, true)
	other := newStranger(t, path)
	other.mustSee(true, "before")
	if f, err := os.Open(path); err != nil {
		t.Fatal(err)
	} else if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	other.mustSee(false, "after closing past closeFile")
}

// The kernel's answers, which see the process as one, are those to all of its open
// files together.
func TestSpansThatOneUnlocksStayLockedForTheOthers(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	a, b := openTestSession(t, path).locks, openTestSession(t, path).locks
	other := newStranger(t, path)
	at := func(first, last int64, want string) {
		t.Helper()
		if got := other.asks("locked", first, last); got != want {
			t.Errorf("another process finds bytes %d to %d locked: %s, want %s", first, last, got, want)
		}
	}
	const n = 1000
	for _, lock := range []struct {
		l           byteLocks
		first, last int64
		kind        int16
	}{{a, n, n + 9, exclusive}, {b, n + 10, n + 19, shared}, {a, n + 15, n + 29, shared}} {
		if ok, err := lock.l.lock(lock.first, lock.last, lock.kind); !ok || err != nil {
			t.Fatalf("locking free bytes is answered with %v, %v", ok, err)
		}
	}
	mustUnlock(t, a, n+1, n+22)
	at(n, n, "true")
	at(n+1, n+9, "false")
	for i := int64(n + 10); i < n+20; i++ {
		at(i, i, "true")
	}
	at(n+20, n+22, "false")
	at(n+23, n+23, "true")
	mustUnlock(t, b, 0, n+100)
	at(n+1, n+22, "false")
	at(n+29, n+29, "true")
	mustUnlock(t, a, n, n+29)
	at(0, n+100, "false")
}

func TestWhatIsClosedLateIsUsedAgainAndClosedAtLast(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	s := openTestSession(t, path)
	mustLock(t, s.locks, byteOf(1), exclusive, true)
	var views []*os.File
	for range 100 {
		v, err := viewFile(path, testOptions())
		if err != nil {
			t.Fatal(err)
		}
		if f := v.(fileView).file; !slices.Contains(views, f) {
			views = append(views, f)
		}
		v.close()
	}
	if len(views) != 1 {
		t.Errorf("100 views of a lock that is held took %d descriptors", len(views))
	}
	if _, err := views[0].Stat(); err != nil {
		t.Errorf("a view was closed while the lock was held: %v", err)
	}
	mustUnlock(t, s.locks, byteOf(1), byteOf(1))
	if _, err := views[0].Stat(); err == nil {
		t.Error("a view is open after the last lock has ended")
	}
	lockedHere.Lock()
	defer lockedHere.Unlock()
	if c := lockedHere.files[s.locks.of]; c != nil {
		t.Errorf("claims are left: %v", c)
	}
}

// Claims agree with a slow reference: an array that says for each byte who has it.
func TestClaimsAreThoseOfEachByte(t *testing.T) {
	t.Parallel()
	const bytes, files = 12, 3
	for seed := range uint64(200) {
		chance := rand.New(rand.NewPCG(seed, 0))
		var owners [files]os.File
		var reference [bytes][files]bool
		c := new(claimed)
		for range 50 {
			owner := chance.IntN(files)
			f := &owners[owner]
			s := span{first: int64(chance.IntN(bytes))}
			s.last = s.first + int64(chance.IntN(bytes-int(s.first)))
			locks := chance.IntN(2) == 0
			c.cut(f, s)
			if locks {
				c.claims = append(c.claims, claim{s, f, shared})
			}
			for i := s.first; i <= s.last; i++ {
				reference[i][owner] = locks
			}
		}
		all := span{0, bytes - 1}
		free, want := make([]int64, 0), make([]int64, 0)
		for _, gap := range c.gaps(all) {
			for i := gap.first; i <= gap.last; i++ {
				free = append(free, i)
			}
		}
		for i, has := range reference {
			if has == [files]bool{} {
				want = append(want, int64(i))
			}
			for owner := range files {
				bars := c.bars(claim{span{int64(i), int64(i)}, &owners[owner], exclusive})
				others := has
				others[owner] = false
				if bars != (others != [files]bool{}) {
					t.Errorf("seed %d: byte %d, file %d: barred %v, and the others have it: %v", seed, i, owner, bars, others)
				}
			}
		}
		if diff := cmp.Diff(want, free); diff != "" {
			t.Errorf("seed %d: bytes that nobody has (-want +got):\n%s", seed, diff)
		}
	}
}
