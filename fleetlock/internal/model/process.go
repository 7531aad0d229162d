package model

// An op is what a process is about.
type op uint8

const (
	opNone op = iota
	opAcquire
	opResume
	opGiveUp // an acquire that failed
	opRelease
	opHandOver // a release that leaves the record to who waits
	opRenew
	opDetach
	opDetach2 // the same, at the second slot
	opBreak
	opBroken // a Break that has written
)

// A pc is the system call that a process makes next, or where it rests.
type pc uint8

const (
	absent pc = iota
	gone
	dying // closed by the kernel, which has yet to drop its locks
	rest

	load
	askFloor
	askHolder
	watch
	wait
	sleep
	inherit
	guard
	reread
	lockByte
	write
	writing // between the two halves of a pwrite
	unguard
	sync
	lstat
	unwait

	holding
	watchHeld
	confirm
	touching // has seen that the lock is its own, and acts on that

	unlockByte
	ask
	ring
)

// Flags of a process.
const (
	hasGuard  uint8 = 1 << iota
	hasWait         // registered as a waiter
	hasWatch        // inotify
	rung            // an event of utimensat is queued
	closed          // an event of a close is queued
	lost            // what it held was granted to another, whether it knows or not
	broken          // an operator took the lock from it, whether it knows or not
	overslept       // a tick has passed since it began to touch what the lock guards
)

const events = rung | closed

// A proc is a process with one open description of the file.
type proc struct {
	pc       pc
	op       op
	flags    uint8
	rounds   uint8 // grants that it may still ask for
	token    uint8
	held     uint8 // the token whose liveness byte it locks; 0 if none
	from     uint8 // the clock as read before the write
	deadline uint8 // its own, if it has a lease
	// recheck says that a sleeping waiter looks again by itself. It is 2 until a load
	// has followed whatever made it do so.
	recheck uint8
	seen    snapshot
}

func (p *proc) has(flags uint8) bool { return p.flags&flags != 0 }
func (p *proc) set(flags uint8)      { p.flags |= flags }
func (p *proc) drop(flags uint8)     { p.flags &^= flags }

// rest forgets all that does not matter between two operations. What it keeps by
// mistake, such as a lock, stays.
func (p *proc) rest() {
	*p = proc{pc: rest, rounds: p.rounds, held: p.held, flags: p.flags & (hasGuard | hasWait)}
}

// forget drops what only the operation before needed.
func (p *proc) forget() {
	p.seen, p.recheck, p.from = snapshot{}, 0, 0
}

// holds reports whether the caller of the process takes the lock for its own.
func (p *proc) holds() bool {
	switch {
	case p.pc >= holding && p.pc <= touching:
		return true
	case p.op == opRenew:
		return p.pc >= guard && p.pc <= unguard
	}
	// Who detaches gives the lock up from the first write on.
	return p.op == opDetach && (p.pc == guard || p.pc == reread)
}

// inTransition reports whether the process has something to do that needs no event.
func (p *proc) inTransition(v Variant, now uint8) bool {
	switch p.pc {
	case absent, gone, rest, holding:
		return false
	case sleep:
		return p.wakes(v, now)
	}
	return true
}

// wakes reports whether a sleeping waiter has an event queued or a timer that is due.
func (p *proc) wakes(v Variant, now uint8) bool {
	return p.has(events) || p.rechecks(v) || p.due(now)
}

// due reports whether the record that the waiter saw has run out.
func (p *proc) due(now uint8) bool { return p.timer() > 0 && p.timer() <= now }

// timer is when the record that the waiter saw runs out, if time alone can do that.
func (p *proc) timer() uint8 {
	if p.seen.state == held && p.seen.damaged {
		return 0
	}
	return p.seen.until
}

// mayInherit reports whether the waiter, once it is told, takes for dead whom it saw.
func (p *proc) mayInherit() bool { return p.seen.state == held && !p.seen.damaged }

// rechecks reports whether a waiter looks again by itself. One that saw a damaged slot
// does, since it knows no time when the record runs out.
func (p *proc) rechecks(v Variant) bool {
	return p.recheck > 0 || p.seen.damaged && v&NoRecheckOfDamage == 0
}

// key orders processes, so that states which differ in their order are one.
func (p *proc) key() (high, low uint64) {
	for _, b := range [8]uint8{uint8(p.pc), uint8(p.op), p.flags, p.rounds, p.token, p.held, p.from, p.deadline} {
		high = high<<8 | uint64(b)
	}
	for _, b := range [6]uint8{p.recheck, p.seen.seq, p.seen.state, p.seen.token, p.seen.until, p.seen.floor()} {
		low = low<<8 | uint64(b)
	}
	return high, low
}

func (p *proc) before(q *proc) bool {
	high, low := p.key()
	high2, low2 := q.key()
	return high < high2 || high == high2 && low < low2
}

// settle makes the same what nothing can tell apart.
func (p *proc) settle(now uint8) {
	if p.deadline > 0 && p.deadline <= now {
		p.deadline = 1 // passed
	}
	if p.recheck == 1 || p.pc != sleep && p.pc != load {
		return // the record that it saw counts
	}
	if p.pc == sleep && p.mayInherit() {
		return // by what it saw
	}
	seen := snapshot{damaged: p.seen.damaged && p.pc == sleep}
	if p.pc == sleep {
		seen.until = p.timer()
	}
	p.seen = seen
}
