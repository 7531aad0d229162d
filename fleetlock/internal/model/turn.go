package model

// A turn is the moment when one process makes its next step. Its methods change a copy
// of the state and show it.
type turn struct {
	machine
	s     state
	i     int
	visit func(state, Step)
}

func (t *turn) me() *proc { return &t.s.procs[t.i] }

// show ends the turn.
func (t *turn) show(call, note string, wrong Violation) {
	t.visit(t.s, Step{Who: int8(t.i), Call: call, Note: note, Wrong: wrong})
}

func (t *turn) did(call, note string) { t.show(call, note, "") }

// goes continues with a system call.
func (t *turn) goes(to pc) { t.me().pc = to }

func (m machine) step(t turn) {
	switch t.me().pc {
	case absent, gone, dying:
	case rest:
		t.rests()
	case holding, watchHeld, confirm, touching:
		t.holds()
	case load, askFloor, askHolder, watch, wait, sleep, inherit, lockByte, sync, lstat, unwait:
		t.acquires()
	case guard, reread, write, writing, unguard:
		t.transits()
	case unlockByte, ask, ring:
		t.leaves()
	}
}

// rests begins whatever a process can begin.
func (t turn) rests() {
	if t.me().rounds > 0 {
		acquire := t
		acquire.me().rounds--
		acquire.me().op = opAcquire
		acquire.loads()
	}
	if t.me().rounds > 0 && t.s.ticket > 0 {
		resume := t
		resume.me().rounds--
		resume.me().op = opResume
		resume.loads()
	}
	if t.s.breaks > 0 {
		t.s.breaks--
		t.me().op = opBreak
		t.loads()
	}
}
