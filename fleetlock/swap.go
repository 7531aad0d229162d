package fleetlock

import (
	"errors"
	"slices"
)

// A span is a run of locked bytes: the guard and, to save calls of the kernel, what
// stands beside it.
type span struct{ first, last int64 }

var guardAlone = span{guardByte, guardByte}

func guardUpTo(token uint64) span { return span{guardByte, byteOf(token)} }

func (s *session) takeGuard(g span) error {
	if err := s.call("setlk guard"); err != nil {
		return err
	}
	ok, err := s.locks.lock(g.first, g.last, exclusive)
	if err == nil && !ok {
		err = errContended
	}
	return err
}

// dropGuard cannot fail in a way that could be mended: the guard is dropped with the
// session at the latest.
func (s *session) dropGuard(g span) {
	_ = s.call("unlock guard")
	_ = s.locks.unlock(g.first, g.last)
	if g.first == bellByte {
		s.bell = false
	}
}

func (s *session) swap(seen version, next record) (snapshot, error) {
	grants := next.state == stateHeld && next.token > seen.floor
	s.mu.Lock()
	left, err := s.swapGuarded(seen, next, grants)
	s.mu.Unlock()
	if err == nil && left.state != next.state {
		yield() // to the next holder, whom the kernel likes to put on the processor of who woke it
	}
	return s.publish(left, next, grants, err)
}

func (s *session) inherit(seen version, next record) (snapshot, error) {
	s.mu.Lock()
	left, err := s.inheritGuarded(seen, next)
	s.mu.Unlock()
	return s.publish(left, next, true, err)
}

// inheritGuarded takes the guard together with the bytes of all tokens so far, which is
// impossible while the holder of one lives.
func (s *session) inheritGuarded(seen version, next record) (snapshot, error) {
	if len(s.own) > 0 {
		return snapshot{}, errContended
	}
	guard := guardUpTo(next.token)
	if err := s.takeGuard(guard); err != nil {
		return snapshot{}, err
	}
	return s.swapUnder(guard, seen, next, true)
}

// publish brings what a swap has left to the disk, if it has to be there before it counts.
// The caller does not hold mu: a disk may take its time.
func (s *session) publish(left snapshot, next record, grants bool, err error) (snapshot, error) {
	if err != nil || !grants && next.state != stateDetached {
		return left, err
	}
	if err := s.flush(); err != nil {
		if grants {
			s.abandon(next.token)
		}
		return left, err
	}
	if next.state == stateDetached {
		s.abandon(next.token)
	}
	return left, nil
}

// swapGuarded is swap without the disk.
func (s *session) swapGuarded(seen version, next record, grants bool) (snapshot, error) {
	guard, err := s.guardFor(next, grants)
	if errors.Is(err, errContended) && s.endsLast(next) {
		return s.handOver(seen, next)
	}
	if err != nil {
		return snapshot{}, err
	}
	return s.swapUnder(guard, seen, next, grants)
}

// swapUnder is swap for who has taken the guard, which it drops.
func (s *session) swapUnder(guard span, seen version, next record, grants bool) (snapshot, error) {
	left, err := s.compareAndWrite(seen, next, grants && guard == guardAlone)
	if err != nil {
		s.dropGuard(guard)
		// Those whom the guard was in the way have to know, and a holder to be broken:
		// what a write did that failed is uncertain.
		s.ring(next.state == stateFree && !slices.Contains(s.own, next.token))
		return left, err
	}
	s.settle(guard, next, grants)
	return left, nil
}

// guardFor takes the guard, and with it, in the usual cases, a byte that would cost a
// call of its own.
func (s *session) guardFor(next record, grants bool) (span, error) {
	wide := guardAlone
	switch {
	case grants && len(s.own) == 0:
		wide = guardUpTo(next.token) // fails while the holder of any earlier token lives
	case s.endsLast(next) && s.parked == 0 && spansLock:
		wide.first = bellByte // fails while somebody is parked
	}
	err := s.takeGuard(wide)
	if errors.Is(err, errContended) && grants && wide != guardAlone {
		return guardAlone, s.takeGuard(guardAlone)
	}
	return wide, err
}

// handOver releases without the guard and without a word in the record when others are
// waiting or about: the next holder cannot be had faster, and will write one at once.
// Until then the record is that of a holder who died.
func (s *session) handOver(seen version, next record) (snapshot, error) {
	now, err := s.read()
	if err != nil {
		return snapshot{}, err
	}
	if now.version != seen {
		return now, errChanged
	}
	s.dropToken(next.token)
	s.ring(true)
	return now, nil
}

// endsLast reports whether next ends the only hold that this session has.
func (s *session) endsLast(next record) bool {
	return next.state == stateFree && len(s.own) == 1 && s.own[0] == next.token
}

// compareAndWrite is the heart of swap. The caller holds the guard.
func (s *session) compareAndWrite(seen version, next record, takes bool) (snapshot, error) {
	now, err := s.read()
	if err != nil {
		return snapshot{}, err
	}
	if now.version != seen {
		return now, errChanged
	}
	if takes {
		if err := s.takeToken(next.token); err != nil {
			return now, err
		}
	}
	left, err := s.replace(now, next)
	if err != nil && takes {
		s.dropToken(next.token)
	}
	return left, err
}

// replace writes the next record, into both slots where one could be too few: a ticket
// has no living holder to show that it has the lock, and a slot that was damaged may be
// damaged again.
func (s *session) replace(now snapshot, next record) (snapshot, error) {
	left := snapshot{next, version{now.sequence + 1, next.highest}}
	if err := s.write(next, left.sequence); err != nil {
		return now, err
	}
	if next.state == stateDetached || now.damaged() {
		left.sequence++
		if err := s.write(next, left.sequence); err != nil {
			return now, err
		}
	}
	return left, nil
}

// settle gives back what is not needed any more after a record was written. A grant is
// not announced, since its end will be.
func (s *session) settle(guard span, next record, grants bool) {
	switch {
	case grants && guard.last != guardByte:
		s.own = append(s.own, next.token)
		s.dropGuard(span{guard.first, guard.last - 1})
	case s.endsLast(next):
		s.own = s.own[:0]
		s.dropGuard(span{guard.first, byteOf(next.token)})
		if guard.first == bellByte {
			s.changes.notify() // of those who listen, none is parked
		} else {
			s.ring(false)
		}
	default:
		s.dropGuard(guard)
		if next.state == stateFree {
			mine := s.dropToken(next.token)
			s.ring(!mine) // a holder that lost it must know, and does not wait
		}
	}
}

// takeToken fails also if the token was granted before, to somebody who lives: then the
// file was set back.
func (s *session) takeToken(token uint64) error {
	if slices.Contains(s.own, token) {
		return errContended
	}
	if err := s.call("setlk token"); err != nil {
		return err
	}
	ok, err := s.locks.lock(byteOf(token), byteOf(token), exclusive)
	if err == nil && !ok {
		err = errContended
	}
	if err == nil {
		s.own = append(s.own, token)
	}
	return err
}

// dropToken reports whether the token was this session's.
func (s *session) dropToken(token uint64) bool {
	i := slices.Index(s.own, token)
	if i < 0 {
		return false
	}
	s.own = slices.Delete(s.own, i, i+1)
	_ = s.call("unlock token")
	_ = s.locks.unlock(byteOf(token), byteOf(token))
	return true
}
