package model

func (t turn) acquires() {
	p := t.me()
	switch p.pc {
	case load:
		t.cancels("ctx ends")
		t.loads()
	case askFloor:
		t.asksFloor()
	case askHolder:
		t.asksHolder()
	case watch:
		p.set(hasWatch)
		if !t.is(NoRecheckOfWatch) {
			p.recheck = 2 // the close event of a holder that still has its locks may have been before
		}
		t.goes(t.second(wait, WaitAfterLoad))
		t.did("inotify_add_watch", "")
	case wait:
		p.set(hasWait)
		t.goes(t.second(load, WaitAfterLoad|WatchAfterLoad))
		t.did("setlk W", "")
	case sleep:
		t.sleeps()
	case inherit:
		t.inherits()
	case lockByte:
		t.locksByte()
	case sync:
		t.syncs()
	case lstat:
		t.cancels("same file, but ctx has ended")
		t.granted("same file")
	case unwait:
		p.drop(hasWait)
		t.afterWait()
	}
}

// second is the step after one of the two that make a waiter, or sleep if a variant has
// looked before.
func (t *turn) second(pc pc, v Variant) pc {
	if t.is(v) {
		return sleep
	}
	return pc
}

// loads reads the record without the guard.
func (t turn) loads() {
	p := t.me()
	v := t.s.file.read(t.Variant)
	if p.recheck == 2 {
		p.recheck = 1
		if t.is(NoRecheckOfClose) {
			p.recheck = 0
		}
	} else if p.seen != v {
		p.recheck = 0
	}
	p.seen = v
	switch {
	case v.none():
		t.contended("pread", "no record: looks again")
		return
	case v.damaged && !t.is(FloorUnasked) && !(p.op == opResume && t.is(ResumeOfDamage)):
		t.goes(askFloor)
	default:
		t.judges("pread", noteOf(v))
		return
	}
	t.did("pread", noteOf(v))
}

func noteOf(v snapshot) string {
	if v.damaged {
		return [...]string{free: "free, and a damaged slot", held: "held, and a damaged slot", detached: "detached, and a damaged slot"}[v.state]
	}
	return [...]string{free: "free", held: "held", detached: "detached"}[v.state]
}

// asksFloor asks whether whom a lost record grants the lock to lives.
func (t turn) asksFloor() {
	p := t.me()
	alive := t.s.alive(p.seen.floor())
	switch {
	case p.op == opBreak:
		t.seesHolder("getlk L(floor)", alive)
	case alive:
		t.busy("getlk L(floor)", "somebody has it")
	default:
		t.judges("getlk L(floor)", "nobody has it")
	}
}

// judges decides by the record, after a system call.
func (t turn) judges(call, note string) {
	p := t.me()
	v := p.seen
	switch {
	case p.op == opBreak:
		t.seesHolder(call, false)
	case p.op == opResume:
		t.judgesTicket(call, note)
	case v.state == held:
		t.goes(askHolder)
		t.did(call, note)
	case v.state == detached && t.s.now < v.until:
		t.busy(call, note)
	default:
		t.goes(guard)
		t.did(call, note)
	}
}

func (t turn) judgesTicket(call, note string) {
	p := t.me()
	v := p.seen
	if v.state == detached && v.token == t.s.ticket && t.s.now < v.until {
		t.goes(guard)
		t.did(call, note)
		return
	}
	wrong := Violation("")
	if t.s.now < t.s.expires {
		wrong = TicketLost
	}
	p.rest()
	t.show(call, note+": the ticket has lost the lock", wrong)
}

// asksHolder asks whether the holder of the record lives.
func (t turn) asksHolder() {
	v := t.me().seen
	lasts := v.until == 0 || v.damaged && !t.is(LeaseOfDamage)
	switch {
	case !t.s.alive(v.token):
		t.goes(guard)
		t.did("getlk L", "nobody has it: the holder is dead")
	case !lasts && v.until <= t.s.now:
		t.goes(guard)
		t.did("getlk L", "somebody has it, whose lease has run out")
	default:
		t.busy("getlk L", "somebody has it")
	}
}

// busy makes a waiter of the process, and a waiter sleep.
func (t turn) busy(call, note string) {
	p := t.me()
	switch {
	case p.op == opResume:
		p.rest()
	case !p.has(hasWatch):
		t.goes(watch)
	case !p.has(hasWait):
		t.goes(wait)
	default:
		t.goes(sleep)
	}
	if p.pc != sleep && p.recheck != 1 {
		p.seen = snapshot{}
	}
	t.did(call, note)
}

// contended is busy, but for a moment only.
func (t turn) contended(call, note string) {
	p := t.me()
	if p.op != opAcquire {
		return // it tries again until nobody is in the way
	}
	p.recheck = 2
	t.busy(call, note)
}

func (t turn) sleeps() {
	t.cancels("ctx ends")
	p := t.me()
	switch {
	case p.has(events):
		note := "wakes: rung"
		if p.has(closed) {
			p.recheck, note = 2, "wakes: a close"
		}
		p.drop(events)
		t.goes(load)
		if p.mayInherit() {
			t.goes(inherit)
		}
		t.did("", note)
	case p.due(t.s.now):
		t.goes(load)
		t.did("", "wakes: timer")
	case p.rechecks(t.Variant):
		t.goes(load)
		t.did("", "wakes: looks again")
	}
}

// inherits takes the guard together with the liveness bytes of all tokens so far and of
// the next one, which is impossible while a holder lives: so it need not ask.
func (t turn) inherits() {
	p := t.me()
	if t.s.guarded() || t.s.anyAlive(p.seen.token+1) && !t.is(InheritBlindly) {
		t.contended("setlk G", "EAGAIN: somebody lives")
		return
	}
	p.set(hasGuard)
	p.token, p.held = p.seen.token+1, p.seen.token+1
	t.goes(reread)
	if t.is(InheritUnread) {
		t.grants()
	}
	t.did("setlk G", "nobody lives")
}

// locksByte takes the liveness byte of the token that is about to be granted.
func (t turn) locksByte() {
	p := t.me()
	if t.s.alive(p.token) {
		t.byteTaken()
		return
	}
	p.held = p.token
	t.goes(write)
	if t.is(ByteAfterWrite) {
		t.goes(unguard)
	}
	t.did("setlk L", "")
}

func (t turn) byteTaken() {
	wrong := ByteTaken
	if t.is(TakenByteIsBusy) {
		wrong = ""
	}
	t.me().token = 0
	t.goes(unguard)
	t.show("setlk L", "EAGAIN", wrong)
}

func (t turn) syncs() {
	if t.s.faults > 0 {
		failed := t
		failed.s.faults--
		failed.fails("fdatasync", "EIO")
	}
	t.goes(lstat)
	t.did("fdatasync", "")
}

// granted returns the lock to the caller.
func (t turn) granted(note string) {
	p := t.me()
	p.forget()
	t.goes(holding)
	t.holder()
	t.did("lstat", note)
}

func (t turn) afterWait() {
	t.me().rest()
	t.did("unlock W", "")
}

// holder begins to hold. It watches for a Break alone, and stays registered as a waiter
// until it releases: to end that costs a system call.
func (t *turn) holder() {
	t.me().op = opNone
	if t.Breaks == 0 {
		t.me().drop(hasWatch | events)
	}
}

// cancels shows how the process goes on if the caller's ctx has ended.
func (t turn) cancels(note string) {
	if t.s.cancels == 0 || t.me().op != opAcquire {
		return
	}
	t.s.cancels--
	p := t.me()
	switch {
	case p.pc == lstat && t.is(CancelKeepsGrant):
		p.rest()
		t.did("lstat", note)
	case p.pc == lstat:
		p.forget()
		p.op = opRelease
		t.goes(guard)
		t.did("lstat", note)
	default:
		p.forget()
		p.op = opGiveUp
		p.pc = unwait
		if !p.has(hasWait) {
			p.rest()
		}
		t.did("", note)
	}
}
