package model

import "slices"

// exits moves the process to what it has to do next to leave the lock alone.
func (t *turn) exits(done pc) {
	p := t.me()
	order := t.exit(p.op)
	if done != absent {
		order = order[slices.Index(order, done)+1:]
	}
	for _, next := range order {
		if next == unguard && !p.has(hasGuard) || next == unlockByte && p.held == 0 {
			continue
		}
		t.goes(next)
		return
	}
	t.finish()
}

// The orders in which processes leave.
var (
	leaveGuardFirst = []pc{unguard, unlockByte, ask}
	leaveByteFirst  = []pc{unlockByte, unguard, ask}
	leaveAskFirst   = []pc{ask, unguard, unlockByte}
	leaveSilently   = []pc{unguard, unlockByte}
	leaveRinging    = []pc{unguard, ring}
	leaveToWaiters  = []pc{unguard, unlockByte, ring}
	leaveRingFirst  = []pc{unguard, ring, unlockByte}
)

func (m machine) exit(o op) []pc {
	switch {
	case o == opBroken && !m.is(BreakRingsWaiters):
		return leaveRinging
	case o == opGiveUp:
		return leaveByteFirst
	case o == opRelease && m.is(RingBeforeUnlock):
		return leaveAskFirst
	case o == opRelease && m.is(NoRing), o == opHandOver && m.is(NoRing), o == opDetach && m.is(DetachSilently):
		return leaveSilently
	case o == opHandOver && m.is(RingBeforeUnlock):
		return leaveRingFirst
	case o == opHandOver:
		return leaveToWaiters
	}
	return leaveGuardFirst
}

func (t turn) leaves() {
	p := t.me()
	switch p.pc {
	case unlockByte:
		if !(p.op == opGiveUp && t.is(FaultKeepsByte)) {
			p.held = 0
		}
		t.exits(unlockByte)
		if t.is(ByteBeforeFreeRecord) && p.op == opRelease && p.has(hasGuard) {
			t.goes(write)
		}
		t.did("unlock L", "")
	case ask:
		if t.s.awaited(t.i) {
			t.goes(ring)
			t.did("getlk W", "somebody waits")
			return
		}
		t.exits(ask)
		t.did("getlk W", "nobody waits")
	case ring:
		t.s.notify(rung)
		if slices.Contains(t.exit(p.op), ring) {
			t.exits(ring)
		} else {
			t.exits(ask)
		}
		t.did("utimensat", "rings")
	}
}

// finish returns to the caller.
func (t *turn) finish() {
	p := t.me()
	if p.op == opDetach && !p.has(lost|broken) {
		t.s.ticket, t.s.expires = p.token, p.from+t.TTL
	}
	if p.has(hasWait) && !t.is(KeepsWaiting) {
		p.forget()
		t.goes(unwait)
		return
	}
	p.rest()
}
