package model

// The seed's algorithm, as a control: an explorer that finds nothing wrong with fleetlock
// must find what is wrong with this. A mutex file guards each transition of the lock
// file; a reclaim file guards the removal of a mutex that a crash left behind; what is
// old counts as left behind.

// seedConfig says what may happen.
type seedConfig struct {
	processes    int
	kills        int
	periods      int // how often time passes until whatever exists is stale
	onlyIdle     bool
	onlyFree     bool // no period passes while the lock exists, so that no lock is ever stale
	staleMutex   bool // left by a crash before the start
	staleReclaim bool
	busyOwner    bool // somebody else owns the lock, and works
	deadline     bool // the time that a waiter waits at most can pass
}

// A seedFile is one of the three files.
type seedFile struct {
	owner   uint8 // who made it, from 1 on; 0 if there is none
	written bool  // it holds its owner's token
	stale   bool
}

// debris is an owner that died before the start.
const debris = 9

type seedPC uint8

const (
	seedIdle seedPC = iota // about to create the mutex
	seedStat
	seedReclaim
	seedStatReclaim
	seedClearReclaim
	seedRestat
	seedReap
	seedLeaveReclaim
	seedSign
	seedReadLock
	seedTake
	seedReadMutex
	seedLeaveMutex
	seedOwner
	seedDead
)

type seedProc struct {
	pc    seedPC
	owned bool // it took the lock, and has yet to leave the mutex
}

type seedState struct {
	mutex, reclaim, lock seedFile
	procs                [4]seedProc
	kills, periods       uint8
	late                 bool // the deadline of every waiter has passed
}

// seedSystem explores the seed.
type seedSystem struct{ seedConfig }

func (m seedSystem) Canonical(s seedState) seedState { return s }

func (m seedSystem) Start() seedState {
	s := seedState{kills: uint8(m.kills), periods: uint8(m.periods)}
	if m.staleMutex {
		s.mutex = seedFile{owner: debris, stale: true}
	}
	if m.staleReclaim {
		s.reclaim = seedFile{owner: debris, stale: true}
	}
	if m.busyOwner {
		s.lock = seedFile{owner: debris}
	}
	return s
}

func (m seedSystem) Wrong(s seedState) Violation {
	owners := 0
	for _, p := range s.procs {
		if p.pc == seedOwner {
			owners++
		}
	}
	if owners > 1 {
		return TwoHolders
	}
	return ""
}

func (m seedSystem) Next(s seedState, visit func(seedState, Step)) {
	for i := range m.processes {
		if pc := s.procs[i].pc; pc < seedOwner {
			m.step(s, i, visit)
		}
	}
	for i := range m.processes {
		if pc := s.procs[i].pc; pc < seedOwner && s.kills > 0 {
			next := s
			next.procs[i] = seedProc{pc: seedDead}
			next.kills--
			visit(next, Step{Who: int8(i), Note: "is SIGKILLed"})
		}
	}
	if s.periods > 0 && m.mayPass(s) {
		next := s
		next.periods--
		for _, f := range []*seedFile{&next.mutex, &next.reclaim, &next.lock} {
			f.stale = f.owner != 0
		}
		visit(next, Step{Who: -1, Note: "everything becomes stale"})
	}
	if m.deadline && !s.late {
		next := s
		next.late = true
		visit(next, Step{Who: -1, Note: "the waiters' deadlines pass"})
	}
}

func (m seedSystem) mayPass(s seedState) bool {
	for _, p := range s.procs[:m.processes] {
		if m.onlyIdle && p.pc != seedIdle && p.pc != seedDead {
			return false
		}
	}
	return !m.onlyFree || s.lock.owner == 0
}

// step is the next system call of a process.
func (m seedSystem) step(s seedState, i int, visit func(seedState, Step)) {
	p, me := &s.procs[i], uint8(i+1)
	step := Step{Who: int8(i)}
	switch p.pc {
	case seedIdle:
		step.Call = "open(mutex, O_EXCL)"
		p.pc = create(&s.mutex, me, seedSign, seedStat)
	case seedStat:
		step.Call = "stat(mutex)"
		p.pc = either(s.mutex.stale, seedReclaim, seedIdle)
	case seedReclaim:
		step.Call = "open(reclaim, O_EXCL)"
		p.pc = create(&s.reclaim, me, seedRestat, seedStatReclaim)
	case seedStatReclaim:
		step.Call = "stat(reclaim)"
		p.pc = either(s.reclaim.stale, seedClearReclaim, seedIdle)
	case seedClearReclaim, seedLeaveReclaim:
		step.Call = "unlink(reclaim)"
		s.reclaim, p.pc = seedFile{}, seedIdle
	case seedRestat:
		step.Call = "stat(mutex)"
		p.pc = either(s.mutex.stale, seedReap, seedLeaveReclaim)
	case seedReap:
		step.Call = "unlink(mutex)"
		s.mutex, p.pc = seedFile{}, seedLeaveReclaim
	default:
		step.Call = inMutex(&s, p, me)
	}
	visit(s, step)
}

// inMutex is what a process does between creating the mutex and unlinking it.
func inMutex(s *seedState, p *seedProc, me uint8) (call string) {
	switch p.pc {
	case seedSign:
		// The write goes to the file that it created, though another may have its name.
		s.mutex.written = s.mutex.written || s.mutex.owner == me
		p.pc = seedReadLock
		return "write(mutex)"
	case seedReadLock:
		p.owned = s.lock.owner == 0 || s.lock.stale || s.late
		p.pc = either(p.owned, seedTake, seedReadMutex)
		return "read(lock)"
	case seedTake:
		s.lock = seedFile{owner: me, written: true}
		p.pc = seedReadMutex
		return "write(lock)"
	case seedReadMutex:
		mine := s.mutex.owner == me && s.mutex.written
		p.leave(either(mine, seedLeaveMutex, seedOwner))
		return "read(mutex)"
	}
	s.mutex = seedFile{}
	p.leave(seedOwner)
	return "unlink(mutex)"
}

// leave goes on, behind the mutex to where the process started unless it owns the lock.
func (p *seedProc) leave(to seedPC) {
	p.pc = to
	if to == seedOwner {
		p.pc = either(p.owned, seedOwner, seedIdle)
		p.owned = false
	}
}

func create(f *seedFile, me uint8, done, exists seedPC) seedPC {
	if f.owner != 0 {
		return exists
	}
	*f = seedFile{owner: me}
	return done
}

func either(condition bool, yes, no seedPC) seedPC {
	if condition {
		return yes
	}
	return no
}
