package model

// What the kernel does, and what befalls processes and the file.

// guarded reports whether somebody has the guard byte.
func (s *state) guarded() bool {
	for i := range s.procs {
		if s.procs[i].has(hasGuard) {
			return true
		}
	}
	return false
}

// alive reports whether somebody has the liveness byte of a token. Who is about to grant
// itself the lock has those of all earlier tokens, too, as long as it has the guard: it took
// them to see that nobody else has one.
func (s *state) alive(token uint8) bool {
	for i := range s.procs {
		p := &s.procs[i]
		if p.held == token || p.held > token && p.op == opAcquire && p.has(hasGuard) {
			return true
		}
	}
	return false
}

// anyAlive reports whether somebody has the liveness byte of a token up to one.
func (s *state) anyAlive(to uint8) bool {
	for i := range s.procs {
		if h := s.procs[i].held; h != 0 && h <= to {
			return true
		}
	}
	return false
}

// awaited reports whether a process other than one is registered as a waiter.
func (s *state) awaited(except int) bool {
	for i := range s.procs {
		if i != except && s.procs[i].has(hasWait) {
			return true
		}
	}
	return false
}

// notify queues an event for everybody who watches.
func (s *state) notify(event uint8) {
	for i := range s.procs {
		if s.procs[i].has(hasWatch) {
			s.procs[i].set(event)
		}
	}
}

func (m machine) befall(s state, visit func(state, Step)) {
	for i := range s.procs {
		m.kill(s, i, visit)
	}
	m.tick(s, visit)
	m.damage(s, visit)
}

// kill closes the file of a process. The kernel queues the close event before it drops
// the locks, and the process that waits may run in between.
func (m machine) kill(s state, i int, visit func(state, Step)) {
	p := &s.procs[i]
	if p.pc == dying {
		*p = proc{pc: gone}
		visit(s, Step{Who: int8(i), Note: "loses its locks"})
		return
	}
	if p.pc <= rest || s.kills == 0 || p.pc == writing && s.file.destroyed() && !m.is(InPlace) {
		return
	}
	s.kills--
	*p = proc{pc: dying, held: p.held, flags: p.flags & (hasGuard | hasWait)}
	s.notify(closed)
	visit(s, Step{Who: int8(i), Note: "is SIGKILLed"})
}

// tick lets time pass, wherever the processes are. Only who acts on what it has checked
// does so within a tick.
func (m machine) tick(s state, visit func(state, Step)) {
	if s.now == m.Ticks {
		return
	}
	s.now++
	for i := range s.procs {
		if p := &s.procs[i]; p.pc == touching {
			if p.has(overslept) {
				return
			}
			p.set(overslept)
		}
	}
	visit(s, Step{Who: -1, Note: "a tick passes"})
}

// damage makes a slot invalid. Of two, the lock says ErrCorrupt and waits for a Repair:
// one slot may be bad at a time, whether by damage or by a write that was cut off.
func (m machine) damage(s state, visit func(state, Step)) {
	if s.damages == 0 || s.file.damaged() {
		return
	}
	s.damages--
	for i, note := range [2]string{"slot 0 is damaged", "slot 1 is damaged"} {
		next := s
		next.file[i] = slot{}
		visit(next, Step{Who: -1, Note: note})
	}
}
