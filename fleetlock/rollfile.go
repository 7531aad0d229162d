package fleetlock

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// A rollFile is the file of a roll, opened. Of the bytes that a session locks it uses the
// guard, held through one swap, the bell, and one for each tied term, held by the process
// that named it first for as long as that lives. The session's mutex guards it.
type rollFile struct {
	*session
	clock  clock
	living map[string]int64 // the terms whose bytes this process holds, and where
	room   int64            // what each copy is known to have on the disk
	stale  bool             // the disk may not have what the file says
	doubt  string           // the text of a record that is there although its swap failed
}

func newRollFile(s *session, c clock) *rollFile {
	return &rollFile{session: s, clock: c, living: make(map[string]int64)}
}

// termByte is a byte of a holder among those of all tokens, so that nobody repairs a
// file as that of a plain lock while a holder lives.
func termByte(id string) int64 {
	sum := sha256.Sum256([]byte(id))
	return byteOf(binary.BigEndian.Uint64(sum[:]))
}

// tie ends a term with this process, and reports whether it does.
func (f *rollFile) tie(id string) bool {
	at := termByte(id)
	if ok, err := f.locks.lock(at, at, exclusive); !ok || err != nil {
		return false // the term lasts its length
	}
	f.living[id] = at
	return true
}

func (f *rollFile) untie(id string) (tied bool) {
	at, tied := f.living[id]
	if tied {
		delete(f.living, id)
		_ = f.locks.unlock(at, at) // it ends with the session at the latest
	}
	return tied
}

func (f *rollFile) lives(id string) (bool, error) {
	if _, mine := f.living[id]; mine {
		return true, nil // a session does not see its own locks
	}
	if err := f.call("getlk term"); err != nil {
		return false, err
	}
	at := termByte(id)
	return f.locks.lockedByOther(at, at)
}

// abandon ends a term of this process, whatever the record says.
func (f *rollFile) abandon(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.untie(id) {
		f.ring(false)
	}
}

// guarded does something while nobody else changes the file. It waits for that until ctx
// ends: a change takes microseconds, unless the process that makes it stands still.
func (f *rollFile) guarded(ctx context.Context, do func() error) error {
	for pause := firstPause; ; pause = min(pause*2, longestGuard) {
		f.mu.Lock()
		err := f.takeGuard(guardAlone)
		if err == nil {
			defer f.mu.Unlock()
			defer f.dropGuard(guardAlone)
			return do()
		}
		f.mu.Unlock()
		if !errors.Is(err, errContended) {
			return err
		}
		if wait := (&listener{}).sleep(ctx, f.clock, time.Duration(pause)); wait != nil {
			return fmt.Errorf("%w: %w", wait, err)
		}
	}
}

// read returns the newer of the copies that are whole.
func (f *rollFile) read() (rollCopy, error) {
	if err := f.call("pread"); err != nil {
		return rollCopy{}, err
	}
	var copies [2]rollCopy
	var whole [2]bool
	var plain bool
	for i := range copies {
		b, err := f.readCopy(rollPlace(uint64(i)))
		if err != nil {
			return rollCopy{}, err
		}
		copies[i], whole[i] = decodeRollCopy(b)
		plain = plain || bytes.HasPrefix(b, []byte(slotMagic)) || len(b) > slotSize && bytes.HasPrefix(b[slotSize:], []byte(slotMagic))
	}
	newer := copies[0]
	if !whole[0] || whole[1] && copies[1].sequence > copies[0].sequence {
		newer = copies[1]
	}
	switch {
	case !whole[0] && !whole[1] && plain:
		return rollCopy{}, fmt.Errorf("%w: it is the file of a lock without Slots", ErrUnsafe)
	case !whole[0] && !whole[1]:
		return rollCopy{}, ErrCorrupt
	case whole[0] != whole[1]:
		newer.damaged = true
		newer.token++ // the copy that is not whole may have granted one more
	}
	return newer, nil
}

// readCopy returns what stands at the place of a copy.
func (f *rollFile) readCopy(at int64) ([]byte, error) {
	b := make([]byte, rollBlock)
	n, err := f.file.ReadAt(b, at)
	if size, ok := rollLength(b[:n]); ok && size > n && err == nil {
		b = append(b, make([]byte, size-n)...)
		var more int
		more, err = f.file.ReadAt(b[n:], at+int64(n))
		n += more
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], err
}

// settled is read for who has the guard: what is not whole then is damaged.
func (f *rollFile) settled() (rollCopy, error) {
	c, err := f.read()
	if err != nil || !c.damaged {
		return c, err
	}
	// Whom a lost record granted a slot to, one knows by its being alive.
	lives, err := f.lives(holderTerm(c.token))
	if lives && err == nil {
		err = fmt.Errorf("%w: one copy, that of the holder under token %d, who lives", ErrCorrupt, c.token)
	}
	return c, err
}

// look is read for who does not have the guard, and takes it only if the file does not
// seem whole. Who cannot take it looks a few times more.
func (f *rollFile) look(ctx context.Context) (c rollCopy, err error) {
	for tries := range 5 {
		f.mu.Lock()
		c, err = f.read()
		f.mu.Unlock()
		if err == nil && !c.damaged || err != nil && !errors.Is(err, ErrCorrupt) {
			return c, err
		}
		if f.watch != nil {
			break
		}
		time.Sleep(time.Millisecond << tries)
	}
	if f.watch == nil { // opened to be read
		return c, err
	}
	err = f.guarded(ctx, func() (err error) {
		c, err = f.settled()
		return err
	})
	return c, err
}

// load returns the record, with what is left of its terms.
func (f *rollFile) load(ctx context.Context) (Record, error) {
	if err := f.refresh(ctx); err != nil {
		return Record{}, err
	}
	c, err := f.look(ctx)
	for err == nil {
		r, dead, termErr := f.record(c)
		if termErr != nil || !dead {
			return r, termErr
		}
		// A term may have been released since, or be a ticket's by now.
		before := c.sequence
		if c, err = f.look(ctx); err == nil && c.sequence == before {
			return r, nil
		}
		if err == nil {
			err = ctx.Err()
		}
	}
	return Record{}, err
}

// record leaves out the terms that are over because of a death, and reports whether there
// are any.
func (f *rollFile) record(c rollCopy) (r Record, dead bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	over, err := f.deaths(c.terms)
	if err != nil {
		return Record{}, false, err
	}
	now := f.clock.now()
	r = Record{Version: c.version(), Token: c.token, Text: c.text}
	for _, t := range c.terms {
		if !over[t.id] {
			r.Terms = append(r.Terms, Term{ID: t.id, Left: t.left(now)})
		}
	}
	return r, len(over) > 0, nil
}

// deaths returns which tied terms nobody lives for.
func (f *rollFile) deaths(terms []rollTerm) (over map[string]bool, err error) {
	for _, t := range terms {
		if !t.tied {
			continue
		}
		lives, err := f.lives(t.id)
		if err != nil {
			return nil, err
		}
		if lives {
			continue
		}
		if over == nil {
			over = make(map[string]bool)
		}
		over[t.id] = true
	}
	return over, nil
}
