package fleetlock

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// longestGuard is the longest pause between two tries to take the guard.
const longestGuard = pause(time.Millisecond)

// swap is that of a Register.
func (f *rollFile) swap(ctx context.Context, seen uint64, next Record) (uint64, error) {
	if err := f.refresh(ctx); err != nil {
		return 0, err
	}
	var left rollCopy
	var durable bool
	err := f.guarded(ctx, func() (err error) {
		left, durable, err = f.compareAndPut(seen, next)
		return err
	})
	if err != nil {
		return 0, err
	}
	if durable {
		// Outside of the guard: a disk may take its time.
		if err := f.flushRecord(); err != nil {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.doubt = next.Text
			return 0, err
		}
	}
	return left.version(), nil
}

// compareAndPut is swap for who has the guard. It reports whether the record has to be on
// the disk before it counts: grants and tickets have to, since nothing but the record
// tells of them when the machine has lost power.
func (f *rollFile) compareAndPut(seen uint64, next Record) (left rollCopy, durable bool, err error) {
	now, err := f.settled()
	if err != nil {
		return rollCopy{}, false, err
	}
	if now.version() != seen {
		return rollCopy{}, false, ErrChanged
	}
	left, fresh, detaches := f.follow(now, next)
	err = f.makeRoom(now, left, len(fresh) > 0)
	if err == nil {
		left, err = f.put(left, detaches || now.damaged)
	}
	if err != nil {
		f.undo(fresh, left.sequence, left.text)
		return rollCopy{}, false, err
	}
	for id := range f.living {
		if i := left.term(id); i < 0 || !left.terms[i].tied {
			f.untie(id)
		}
	}
	if !next.Quiet {
		f.ring(false)
	}
	return left, detaches || next.Token > now.token, nil
}

// follow is the copy that puts the next record in the place of one, with the terms that it
// names for the first time, which are tied to this process now. It reports whether a
// holder's term becomes that of a ticket, which no process has to outlive.
func (f *rollFile) follow(now rollCopy, next Record) (left rollCopy, fresh []string, detaches bool) {
	tickets := ticketsIn(next.Text)
	left = rollCopy{sequence: now.next(), token: next.Token, text: next.Text}
	moment := f.clock.now()
	for _, term := range next.Terms {
		t := rollTerm{id: term.ID}
		if i := now.term(term.ID); i >= 0 {
			t = now.terms[i]
		} else if t.tied = f.tie(term.ID); t.tied {
			fresh = append(fresh, term.ID)
		}
		if tickets[term.ID] {
			detaches = detaches || t.tied
			t.tied = false
		}
		if term.Length > 0 {
			t.until = moment.add(term.Length)
		}
		left.terms = append(left.terms, t)
	}
	return left, fresh, detaches
}

// ticketsIn returns the terms of tickets, if the text is a ledger.
func ticketsIn(text string) map[string]bool {
	tickets := make(map[string]bool)
	l, err := decodeLedger(text)
	if err != nil {
		return nil // then nobody made them
	}
	for _, h := range l.Holders {
		if h.Detached {
			tickets[holderTerm(h.Token)] = true
		}
	}
	return tickets
}

// put writes a record, into both copies where one could be too few: a ticket has no living
// holder to show that it has the lock, and what was damaged may be damaged again.
func (f *rollFile) put(c rollCopy, twice bool) (rollCopy, error) {
	if err := f.write(c); err != nil || !twice {
		return c, err
	}
	second := c
	second.sequence++
	if err := f.write(second); err != nil {
		return c, err
	}
	return second, nil
}

func (f *rollFile) write(c rollCopy) error {
	if err := f.call("pwrite"); err != nil {
		return err
	}
	_, err := f.file.WriteAt(c.encode(), rollPlace(c.sequence))
	return err
}

// undo unties the terms of a record that was not written, after an error that left that
// uncertain.
func (f *rollFile) undo(fresh []string, sequence uint64, text string) {
	if now, err := f.read(); err != nil || now.sequence >= sequence {
		f.doubt = text
		return
	}
	for _, id := range fresh {
		f.untie(id)
	}
}

// makeRoom says if a record is too large. For one that lets somebody in or into the line
// it sees to it that both copies have room for it on the disk, and for what is written to
// let them out again: on a full disk nobody comes in, but all who are in can leave.
func (f *rollFile) makeRoom(now, next rollCopy, more bool) error {
	const spare = 2048 // for the reason of a Break
	need := blocks(len(next.encode()) + spare)
	if need > rollRoom || len(next.text) >= 64<<10 {
		return fmt.Errorf("fleetlock: a record of %d bytes and %d terms is too large", len(next.text), len(next.terms))
	}
	if !more || need <= f.room {
		return nil
	}
	if err := f.call("pwrite room"); err != nil {
		return err
	}
	for _, c := range []struct{ place, used int64 }{
		{rollPlace(now.sequence), blocks(len(now.encode()))}, {rollPlace(now.sequence + 1), f.used(now.sequence + 1)},
	} {
		if c.used >= need {
			continue
		}
		if _, err := f.file.WriteAt(make([]byte, need-c.used), c.place+c.used); err != nil {
			return err
		}
	}
	f.room = need
	return nil
}

// used is what the copy at the place of a sequence has on the disk, if it is one.
func (f *rollFile) used(sequence uint64) int64 {
	b, err := f.readCopy(rollPlace(sequence))
	if c, ok := decodeRollCopy(b); ok && err == nil {
		return blocks(len(c.encode()))
	}
	return 0
}

func blocks(n int) int64 { return (int64(n) + rollBlock - 1) / rollBlock * rollBlock }

// flushRecord brings the record to the disk. When that failed once, the kernel may take
// what it could not write for written: so the record is written anew before anyone here
// is told of it.
func (f *rollFile) flushRecord() error {
	err := f.flush()
	if err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.stale = true
	}
	return err
}

// doubts reports whether the record of a text is there, as far as is known, although its
// swap failed. Without that its terms are those of another who was granted the same.
func (f *rollFile) doubts(text string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.doubt == text
}

// refresh writes a record anew that could not be brought to the disk.
func (f *rollFile) refresh(ctx context.Context) error {
	f.mu.Lock()
	stale := f.stale
	f.mu.Unlock()
	if !stale {
		return nil
	}
	err := f.guarded(ctx, func() error {
		now, err := f.settled()
		if err == nil {
			now.sequence = now.next()
			err = f.write(now)
		}
		f.stale = err != nil
		return err
	})
	if err != nil {
		return err
	}
	return f.flushRecord()
}

// writeFirst makes the file of a lock that nobody has had. The token and the sequence are
// the time in microseconds, as in a plain lock's file: so none is used again when the file
// is one that replaces another.
func (f *rollFile) writeFirst() error {
	first := uint64(time.Now().UnixMicro())
	c := rollCopy{sequence: first, token: first}
	for range 2 {
		if err := f.write(c); err != nil {
			return err
		}
		c.sequence++
	}
	return f.flush()
}

// mend writes a new file over one that is damaged.
func (f *rollFile) mend(ctx context.Context) error {
	return f.guarded(ctx, func() error {
		if _, err := f.settled(); !errors.Is(err, ErrCorrupt) {
			return err
		}
		lives, err := f.locks.lockedByOther(tokenByte, lastByte)
		if err != nil {
			return err
		}
		if lives || len(f.living) > 0 {
			return &BusyError{Path: f.path}
		}
		defer f.ring(true)
		return f.writeFirst()
	})
}
