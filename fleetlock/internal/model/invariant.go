package model

// Wrong says what a state breaks.
func (m machine) Wrong(s state) Violation {
	if m.holders(&s) > 1 {
		return TwoHolders
	}
	writers, moving := 0, 0
	for i := range s.procs {
		p := &s.procs[i]
		if p.pc == writing {
			writers++
		}
		if p.inTransition(m.Variant, s.now) {
			moving++
		}
		if p.pc == rest && (p.held != 0 || p.has(hasGuard|hasWait)) {
			return Phantom
		}
	}
	switch {
	case writers == 0 && (s.file.destroyed() || m.is(InPlace) && s.file[0].seq == 0):
		return RecordDestroyed
	case moving > 0:
		return ""
	}
	return m.stuck(&s)
}

// holders counts those whose callers may rely on the lock.
func (m machine) holders(s *state) int {
	n := 0
	for i := range s.procs {
		if m.relies(s, &s.procs[i]) {
			n++
		}
	}
	return n
}

// relies reports whether a holder may rely on the lock. An operator may take it away,
// and so may time, if the holder gave it a lease.
func (m machine) relies(s *state, p *proc) bool {
	return p.holds() && !p.has(broken) && m.inTime(s, p)
}

// stuck is what may not be when nothing moves until somebody comes, or time passes.
func (m machine) stuck(s *state) Violation {
	open := m.open(s)
	for i := range s.procs {
		switch p := &s.procs[i]; {
		case p.pc == sleep && open:
			return LostWakeUp
		case p.pc == holding && m.inTime(s, p) && m.deaf(p):
			return NeverTold
		}
	}
	return ""
}

// deaf reports whether a holder watches for a Break that has been, and has no event.
func (m machine) deaf(p *proc) bool {
	return p.has(hasWatch) && p.has(broken) && !p.has(events) && m.Damages == 0
}

// open reports whether the lock can be had.
func (m machine) open(s *state) bool {
	v := s.file.read(m.Variant)
	switch {
	case v.none() || v.damaged && s.alive(v.floor()):
		return false
	case v.state == free:
		return true
	case v.state == held && !s.alive(v.token):
		return true
	case v.state == held && (v.until == 0 || v.damaged):
		return false
	}
	return v.until <= s.now
}

// appears marks who has lost the lock by a record that is there, even if the write of it
// is said to have failed.
func (t *turn) appears() {
	switch p := t.me(); p.op {
	case opAcquire:
		t.takesFromOthers(lost, 0)
	case opResume:
		t.takesFromOthers(lost, 0)
		t.s.expires = 0
	case opBreak:
		t.takesFromOthers(broken, p.token)
		t.s.expires = 0
	}
}

// succeeds is what a process may rely on whose write has succeeded, and what of that may
// not be.
func (t *turn) succeeds(r slot) (wrong Violation) {
	p := t.me()
	switch p.op {
	case opAcquire, opResume:
		wrong = t.grantIsWrong(r)
		if !t.writesTwice() {
			t.s.highest = max(t.s.highest, r.token)
		}
		p.deadline = t.deadline()
	case opRenew:
		if t.lostForGood(p) {
			wrong = NotTold
		}
		p.deadline = t.deadline()
	}
	return wrong
}

// lostForGood reports whether a holder has lost the lock. Damage can undo a Break.
func (m machine) lostForGood(p *proc) bool {
	return p.has(lost) || p.has(broken) && m.Damages == 0
}

func (t *turn) grantIsWrong(r slot) Violation {
	switch {
	case r.token <= t.s.highest:
		return TokenRepeated
	case t.me().op == opAcquire && t.s.now < t.s.expires:
		return TicketLost
	case t.holders(&t.s) > 0:
		return EarlyGrant
	}
	return ""
}

// takesFromOthers marks those who have the lock under a token, or under any, even if
// their Acquire or Detach has yet to return.
func (t *turn) takesFromOthers(flag, token uint8) {
	for i := range t.s.procs {
		if p := &t.s.procs[i]; i != t.i && p.token != 0 && (token == 0 || p.token == token) {
			p.set(flag)
		}
	}
}

// deadline is the holder's own, from the clock as it was before the write.
func (t *turn) deadline() uint8 {
	from, own := t.me().from, t.Own
	if t.is(DeadlineAfterWrite) {
		from = t.s.now
	}
	if t.is(DeadlineIsLease) {
		own = t.Lease
	}
	if t.Lease == 0 {
		return 0
	}
	return from + own
}
