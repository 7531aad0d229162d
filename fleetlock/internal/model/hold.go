package model

// holds is what a process can do that holds the lock.
func (t turn) holds() {
	switch p := t.me(); p.pc {
	case holding:
		t.begins(opRelease)
		if t.inTime(p) || t.is(LateRelease) {
			t.begins(opRenew)
			t.begins(opDetach)
		}
		t.checks(holding, "Err()")
		t.watches()
		t.touches()
	case watchHeld, confirm:
		t.checks(holding, "Context()")
	case touching:
		t.acts()
	}
}

// begins starts an operation with its first system call.
func (t turn) begins(o op) {
	p := t.me()
	switch {
	case o == opRenew && (t.Lease == 0 || t.s.renews == 0), o == opDetach && t.s.detaches == 0:
		return
	case o == opRenew:
		t.s.renews--
	case o == opDetach:
		t.s.detaches--
	}
	p.op = o
	if o == opRelease {
		p.drop(hasWatch | events)
	}
	t.takesGuard()
}

// checks asks the clock and the record whether the lock is still held.
func (t turn) checks(to pc, note string) {
	p := t.me()
	v := t.s.file.read(t.Variant)
	if v.none() {
		return // it reads again
	}
	mine := t.owns(p, v) || t.is(CheckByClock)
	wrong := Violation("")
	if mine && t.inTime(p) {
		if t.lostForGood(p) {
			wrong = NotTold
		}
		p.drop(events)
		t.goes(to)
		t.show("pread", note+": still held", wrong)
		return
	}
	if t.falseLoss(p) {
		wrong = FalseLoss
	}
	p.drop(hasWatch | events)
	p.op = opRelease
	t.goes(guard)
	t.show("pread", note+": lost", wrong)
}

// owns reports whether a record leaves the lock with its holder. If the lost record may
// be that of the holder, it is: a later one would stand in the other slot.
func (m machine) owns(p *proc, v snapshot) bool {
	if m.is(OwnsLostRecord) && v.damaged && v.floor() == p.token {
		return true
	}
	return v.state == held && v.token == p.token
}

// watches begins to watch for a Break, and looks once more: it may have come before.
func (t turn) watches() {
	p := t.me()
	if t.Breaks == 0 || p.has(hasWatch) {
		return
	}
	p.set(hasWatch)
	t.goes(confirm)
	t.did("inotify_add_watch", "for Context()")
}

// touches checks, and then acts on what the lock guards.
func (t turn) touches() {
	if !t.Touch || !t.inTime(t.me()) {
		return
	}
	t.checks(touching, "before it acts")
}

// acts comes up to a tick after the check.
func (t turn) acts() {
	p := t.me()
	wrong := Violation("")
	for i := range t.s.procs {
		if q := &t.s.procs[i]; i != t.i && q.holds() && t.inTime(q) && !p.has(broken) {
			wrong = TwoHolders
		}
	}
	p.drop(overslept)
	t.goes(holding)
	t.show("", "acts on what the lock guards", wrong)
}
