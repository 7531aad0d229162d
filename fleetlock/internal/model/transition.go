package model

// transits makes a step of a transition of the record, which the guard protects.
func (t turn) transits() {
	switch t.me().pc {
	case guard:
		t.cancels("ctx ends")
		t.takesGuard()
	case reread:
		t.rereads()
	case write:
		t.writes()
	case writing:
		t.wrote()
	case unguard:
		t.leavesGuard()
	}
}

func (t turn) takesGuard() {
	p := t.me()
	if t.s.guarded() && !t.is(NoGuard) || p.op == opRelease && t.s.awaited(t.i) {
		t.guardIsTaken()
		return
	}
	p.set(hasGuard)
	t.goes(reread)
	if p.op == opAcquire && (t.is(NoReread) || t.is(TakeOverBlindly) && p.seen.state == held) {
		t.grants()
	}
	t.did("setlk G", "")
}

// guardIsTaken: who acquires waits, who releases lets its liveness byte tell, which it does
// also if somebody waits, and the rest try again, or fail and change nothing.
func (t turn) guardIsTaken() {
	switch p := t.me(); p.op {
	case opAcquire:
		t.contended("setlk G", "EAGAIN")
	case opRelease:
		p.op = opHandOver
		t.goes(reread)
		t.did("setlk G", "EAGAIN, leaves the record to others")
	}
}

// rereads decides under the guard, where nothing changes the record but damage.
func (t turn) rereads() {
	p := t.me()
	v := t.s.file.read(t.Variant)
	switch p.op {
	case opAcquire, opResume:
		t.rereadsToGrant(v)
	case opBreak:
		t.rereadsToBreak(v)
	default:
		t.rereadsOwn(v)
	}
}

func (t turn) rereadsToGrant(v snapshot) {
	p := t.me()
	if !t.same(v, p.seen) {
		p.token = 0
		t.goes(unguard)
		t.did("pread", noteOf(v)+": changed")
		return
	}
	p.seen = v
	t.grants()
	t.did("pread", noteOf(v))
}

// same reports whether what a process decided by what it saw still stands. A sequence
// number alone does not tell: damage hides the record that had it, and the next one has
// it again.
func (m machine) same(v, seen snapshot) bool {
	switch {
	case m.is(CompareSequence):
		return v.seq == seen.seq
	case m.is(CompareVersionAndFloor):
		return v.seq == seen.seq && v.floor() == seen.floor()
	}
	return v == seen
}

// grants reads the clock and chooses the token.
func (t *turn) grants() {
	p := t.me()
	p.from = t.s.now
	p.token = p.seen.floor() + 1
	if t.is(TokenPlusOne) {
		p.token = p.seen.token + 1
	}
	t.goes(lockByte)
	if p.held == p.token || t.is(ByteAfterWrite) {
		t.goes(write)
	}
}

// rereadsOwn decides whether a holder may change its record. One whose deadline has
// passed may not, though the record is its own: another may have taken the lock over,
// and that record may be the one which was damaged.
func (t turn) rereadsOwn(v snapshot) {
	p := t.me()
	p.seen = v
	mine := t.owns(p, v)
	if p.op == opRenew {
		mine = mine || t.is(RenewBlindly) || t.is(RenewByToken) && v.token == p.token
	}
	if mine && (t.inTime(p) || t.is(LateRelease)) {
		p.from = t.s.now
		t.goes(write)
		if p.op == opHandOver {
			t.exits(unguard)
		}
		if p.op == opRelease && t.is(ByteBeforeFreeRecord) {
			t.goes(unlockByte)
		}
		t.did("pread", noteOf(v)+", by itself")
		return
	}
	wrong := Violation("")
	if t.falseLoss(p) {
		wrong = FalseLoss
	}
	p.op = opRelease
	t.goes(unguard)
	t.show("pread", noteOf(v)+": lost", wrong)
}

// inTime reports whether the own deadline of a holder has not passed.
func (m machine) inTime(s *state, p *proc) bool { return m.Lease == 0 || s.now < p.deadline }

func (t *turn) inTime(p *proc) bool { return t.machine.inTime(&t.s, p) }

// falseLoss reports whether a holder that is told of a loss has lost nothing. With a
// damaged slot it may be that its own record is the lost one, and it gives up.
func (t *turn) falseLoss(p *proc) bool {
	return !p.has(lost|broken) && t.inTime(p) && t.Damages == 0
}

// rereadsToBreak compares the holder with whom the operator saw.
func (t turn) rereadsToBreak(v snapshot) {
	p := t.me()
	p.seen = v
	if v.damaged && !t.is(BreakKeepsToken) {
		t.goes(askFloor)
		t.did("pread", noteOf(v))
		return
	}
	t.seesHolder("pread", false)
}

// seesHolder is what an operator learns at first, and what is compared with that under
// the guard. Whom a lost record grants the lock to is the holder if it lives.
func (t turn) seesHolder(call string, floorAlive bool) {
	p := t.me()
	v := p.seen
	token, anybody := v.token, v.state != free
	if floorAlive && !t.is(BreakKeepsToken) {
		token, anybody = v.floor(), true
	}
	switch {
	case !p.has(hasGuard) && !anybody:
		p.rest()
		t.did(call, "nobody to break")
	case !p.has(hasGuard):
		p.token = token
		p.forget()
		t.goes(guard)
		t.did(call, noteOf(v)+", to be broken")
	case anybody && token == p.token:
		t.goes(write)
		t.did(call, noteOf(v)+", as seen before")
	default:
		p.op = opGiveUp
		t.goes(unguard)
		t.did(call, noteOf(v)+", not as seen before")
	}
}

// writes begins to write: who reads now finds the slot damaged.
func (t turn) writes() {
	t.failsToWrite("ENOSPC, nothing written")
	p := t.me()
	t.s.file[place(p.seen.seq, t.Variant)] = slot{}
	t.goes(writing)
	t.did("pwrite", "begins")
}

// wrote ends the write. It may fail although the data is there, or part of it.
func (t turn) wrote() {
	p := t.me()
	if !t.s.file.destroyed() || t.is(InPlace) {
		t.failsToWrite("EIO, half written")
	}
	to, r := place(p.seen.seq, t.Variant), t.record()
	t.s.file[to] = r
	written := t
	written.appears()
	written.failsToWrite("EIO, all written")
	wrong := t.succeeds(r)
	t.appears()
	t.afterWrite(r)
	t.show("", "pwrite ends", wrong)
}

func (t turn) failsToWrite(note string) {
	if t.s.faults == 0 {
		return
	}
	t.s.faults--
	t.fails("pwrite", note)
}

// fails ends an operation whose write has failed.
func (t turn) fails(call, note string) {
	p := t.me()
	switch p.op {
	case opAcquire, opResume:
		p.op = opGiveUp
		t.exits(absent)
	case opRenew:
		t.goes(unguard)
	case opBreak:
		// The record may be there all the same, and the holder has to be told.
		p.op = opBroken
		if t.is(BreakFailsSilently) {
			p.op = opGiveUp
		}
		t.goes(unguard)
	case opDetach2:
		// One slot says that the lock is detached, which is enough for now.
		p.op = opDetach
		t.goes(unguard)
	default:
		p.op = opRelease
		t.goes(unguard)
		if t.is(FaultEndsRelease) {
			p.drop(hasGuard)
			p.rest()
		}
	}
	t.did(call, note)
}

// record is what the process writes.
func (t *turn) record() slot {
	p := t.me()
	r := slot{seq: p.seen.seq + 1, token: p.token}
	switch p.op {
	case opAcquire, opResume, opRenew:
		r.state = held
		if t.Lease > 0 {
			r.until = p.from + t.Lease
		}
	case opDetach, opDetach2:
		r.state, r.until = detached, p.from+t.TTL
	case opRelease:
		if t.is(TokenReset) {
			r.token = 0
		}
	case opBreak:
		r.token = p.seen.floor()
		if t.is(BreakKeepsToken) {
			r.token = p.seen.token
		}
	}
	return r
}

// writesTwice reports whether a grant has to write the other slot too: its token is two
// above that of the slot beside the damaged one, which has to remain the floor.
func (t *turn) writesTwice() bool { return t.me().seen.damaged && !t.is(GrantOnce) }

func (t *turn) afterWrite(r slot) {
	p := t.me()
	t.goes(unguard)
	switch p.op {
	case opAcquire, opResume:
		if t.is(ByteAfterWrite) {
			t.goes(lockByte)
		}
		if t.writesTwice() {
			p.seen = snapshot{slot: r}
			t.goes(write)
		}
	case opRelease:
		if t.is(RingBeforeUnlock) {
			t.goes(ask)
		}
	case opDetach:
		if !t.is(DetachOnce) {
			p.op, p.seen = opDetach2, snapshot{slot: r}
			t.goes(write)
		}
	case opDetach2:
		p.op = opDetach
	case opBreak:
		p.op = opBroken
	}
}

func (t turn) leavesGuard() {
	p := t.me()
	p.drop(hasGuard)
	switch p.op {
	case opAcquire, opResume:
		if p.token == 0 {
			p.held = 0 // of one that hoped to inherit
			t.goes(load)
			break
		}
		t.goes(sync)
	case opRenew:
		p.forget()
		p.op = opNone
		t.goes(holding)
	default:
		t.exits(unguard)
	}
	t.did("unlock G", "")
}
