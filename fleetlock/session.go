package fleetlock

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"
)

// A session is a lock file, opened. It is a store that other processes, and other
// sessions of this one, meet in the kernel: by locks on bytes far behind the end of
// the file, which belong to the session's open file description and end with it.
//
//   - The guard is held through one swap.
//   - The byte of a token is held as long as the token's holder lives.
//   - The bell is shared by those who want to be told when the lock is free.
type session struct {
	file    *os.File
	path    string
	name    systemPath  // the same, to look where it leads
	id      os.FileInfo // of the file, to tell it from one that replaces it
	sync    bool
	locks   byteLocks
	changes *subject
	watch   *watch // of the file, for changes

	mu     sync.Mutex // the guard among the goroutines of this process
	own    []uint64   // tokens whose bytes this session holds
	parked int        // goroutines that ask to be told
	bell   bool       // whether the bell is held
	loud   bool       // whether anybody has listened since the last hush
	buffer [fileSize]byte
	text   [fileSize]byte // what the file held last, and
	last   snapshot       // what that means

	before func(call string) error // see options
}

// The bytes that are locked, far from the record, because Windows keeps others from
// reading what is locked.
const (
	bellByte  = int64(1) << 61
	guardByte = bellByte + 1
	tokenByte = int64(1) << 62 // of token 0; one for each token behind it
	tokenMask = 1<<61 - 1
	lastByte  = tokenByte + tokenMask
)

func byteOf(token uint64) int64 { return tokenByte + int64(token&tokenMask) }

// call is where tests see system calls, and make them fail.
func (s *session) call(name string) error {
	if s.before == nil {
		return nil
	}
	return s.before(name)
}

// load reads the record without any lock. Half of a record that is being written is
// told from a whole one; two in a row that are not whole are looked at once more when
// nobody writes.
func (s *session) load() (snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen, err := s.read()
	if !errors.Is(err, ErrCorrupt) {
		return seen, err
	}
	if err := s.takeGuard(guardAlone); err != nil {
		return snapshot{}, err
	}
	defer s.ring(false) // those whom the guard was in the way
	defer s.dropGuard(guardAlone)
	return s.read()
}

// read returns what is in the file, ErrCorrupt if that is no record.
func (s *session) read() (snapshot, error) {
	if err := s.call("pread"); err != nil {
		return snapshot{}, err
	}
	n, err := readAt(s.file, s.buffer[:])
	if err != nil {
		return snapshot{}, err
	}
	if n == fileSize && s.buffer == s.text && s.last.sequence != 0 {
		return s.last, nil
	}
	seen, ok := decodeFile(s.buffer[:n])
	if !ok && bytes.HasPrefix(s.buffer[:n], []byte(rollMagic)) {
		return snapshot{}, fmt.Errorf("%w: it is the file of a lock with Slots", ErrUnsafe)
	}
	if !ok {
		return snapshot{}, ErrCorrupt
	}
	if n == fileSize {
		s.text, s.last = s.buffer, seen
	}
	return seen, nil
}

// write puts a record over the older slot.
func (s *session) write(r record, sequence uint64) error {
	if err := s.call("pwrite"); err != nil {
		return err
	}
	at := place(sequence)
	b := s.text[at : at+slotSize]
	slot{r, sequence}.encode(b)
	err := writeAt(s.file, b, at)
	if err == nil {
		s.last = snapshot{r, version{sequence, r.highest}}
	} else {
		s.text[at] = 0 // no slot begins like this
	}
	return err
}

func (s *session) abandon(token uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropToken(token) {
		s.ring(false)
	}
	s.hush()
	return true // for others see that it is dead
}

// hush gives up what is there to be told of changes, as soon as nobody needs it. What a
// waiter had when it was granted the lock stays until the hold ends: to give it up takes
// time, during which the lock is held and nothing done. The caller holds mu.
func (s *session) hush() {
	if len(s.own) > 0 {
		return
	}
	if s.bell && s.parked == 0 {
		_ = s.call("unlock bell")
		s.bell = s.locks.unlock(bellByte, bellByte) != nil
	}
	if s.loud {
		s.loud = s.watch.hush()
	}
}

func (s *session) alive(token uint64) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.own, token) {
		return true, nil // a session does not see its own locks
	}
	if err := s.call("getlk token"); err != nil {
		return false, err
	}
	return s.locks.lockedByOther(byteOf(token), byteOf(token))
}

// verify returns errMoved if the path does not lead to the file. A file that was moved
// away or replaced still has its locks, but newcomers meet elsewhere.
func (s *session) verify() error {
	if err := s.call("lstat"); err != nil {
		return err
	}
	return sameFile(s.name, s.id)
}

// flush brings the record to the disk.
func (s *session) flush() error {
	if !s.sync {
		return nil
	}
	if err := s.call("fdatasync"); err != nil {
		return err
	}
	return syncData(s.file)
}

// ring tells those who wait that the lock may be free, and in need everyone who
// listens. The caller holds mu.
func (s *session) ring(everyone bool) {
	s.changes.notify()
	if !everyone {
		if s.call("getlk bell") != nil {
			return
		}
		if wait, err := s.locks.lockedByOther(bellByte, bellByte); err == nil && !wait {
			return
		}
	}
	_ = s.call("utimensat")
	_ = touch(s.file) // whoever misses it looks again by itself
}

func (s *session) listen() (*listener, error) {
	if err := s.watch.listen(1); err != nil {
		return nil, err
	}
	l := s.changes.listen(s.watch.news())
	l.bell = s.holdBell
	stop := l.stop
	l.stop = func() {
		l.unpark()
		stop()
		_ = s.watch.listen(-1)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hush()
		runtime.KeepAlive(s) // whose end would end the watch
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loud = true
	return l, nil
}

// holdBell counts those who are parked, and holds the bell as long as there is one, and
// no hold. A release may have the bell for a moment, to see that nobody is parked; then
// it is not held.
func (s *session) holdBell(hold bool) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !hold {
		s.parked--
		s.hush()
		return false, nil
	}
	if !s.bell {
		if err := s.call("setlk bell"); err != nil {
			return false, err
		}
		if ok, err := s.locks.lock(bellByte, bellByte, shared); !ok || err != nil {
			return false, err
		}
		s.bell = true
	}
	s.parked++
	return true, nil
}

// repair writes a free record over one that is not readable.
func (s *session) repair(why string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.takeGuard(guardAlone); err != nil {
		return err
	}
	defer s.ring(true)
	defer s.dropGuard(guardAlone)
	if _, err := s.read(); !errors.Is(err, ErrCorrupt) {
		return err
	}
	lives, err := s.locks.lockedByOther(tokenByte, lastByte)
	if err != nil {
		return err
	}
	if lives || len(s.own) > 0 {
		return &BusyError{Path: s.path}
	}
	return s.writeFirst(why)
}

// writeFirst writes a free record into both slots. Its token is the time in
// microseconds, which is more than the tokens of any record that was here before,
// unless the lock was granted a million times a second.
func (s *session) writeFirst(why string) error {
	token := uint64(time.Now().UnixMicro())
	r := record{state: stateFree, token: token, highest: token, why: why}
	for sequence := range uint64(2) {
		if err := s.write(r, sequence+1); err != nil {
			return err
		}
	}
	return s.flush()
}
