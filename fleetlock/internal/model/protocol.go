// Package model explores every interleaving of the fleetlock protocol, system call by
// system call: processes that acquire, wait, renew, detach, resume, break and release,
// are killed, stand still, and fail to write, on a file whose slots may be damaged.
//
// It is the protocol that is explored, not the code of package fleetlock; Calls says
// which system calls the model makes, so that a test can hold the code against it. Left
// out are the several goroutines of one process, the replacement of the file and the
// step of a system clock, of which the protocol reads none.
package model

// A Config says how many processes do what, and what may befall them.
type Config struct {
	Processes uint8
	Rounds    uint8 // grants that each process asks for
	Lease     uint8 // in ticks; 0: none
	Own       uint8 // ticks until a holder gives up a lease that it cannot renew
	TTL       uint8 // of a ticket

	// How often each of these may happen, anywhere.
	Kills, Ticks, Damages, Faults, Breaks, Renews, Detaches, Cancels uint8

	Touch   bool // holders act on what the lock guards, a tick after they checked at most
	Variant Variant
}

// A Variant is a set of changes to the protocol.
type Variant uint64

// Changes that break the protocol, unless they are said to be sound.
const (
	NoGuard                Variant = 1 << iota
	NoReread                       // takes what it saw before it had the guard for true
	TakeOverBlindly                // the same, of a lock that was held
	ByteAfterWrite                 // locks the liveness byte after it wrote that it holds the lock
	RingBeforeUnlock               // asks who waits, and rings, before it unlocks
	NoRing                         // of a release
	WaitAfterLoad                  // registers as a waiter after it looked
	WatchAfterLoad                 // begins to watch after it looked
	NoRecheckOfClose               // looks once after a close event, and no more
	InPlace                        // has a single slot
	TokenReset                     // starts from token 1 after each release
	TokenPlusOne                   // grants the token after the record's, though a grant may be lost
	FloorUnasked                   // takes the lock though whom a lost record grants it to lives
	LeaseOfDamage                  // lets a lease run out though a renewal may be lost
	DeadlineIsLease                // uses the whole lease
	DeadlineAfterWrite             // counts its lease from when it wrote it
	DetachOnce                     // writes one slot
	DetachSilently                 // does not ring when the lock is detached
	ResumeOfDamage                 // resumes though whom a lost record grants the lock to lives
	RenewBlindly                   // renews whatever the record says
	RenewByToken                   // renews under its token though the record says free
	BreakRingsWaiters              // rings only if somebody waits
	CheckByClock                   // a holder's check reads no record
	FaultKeepsByte                 // keeps the liveness byte of a grant that failed
	FaultEndsRelease               // a release that cannot write is over
	CancelKeepsGrant               // forgets a grant that came when nobody waited for it any more
	KeepsWaiting                   // stays registered as a waiter
	CompareSequence                // takes a record for unchanged by its sequence number alone
	LateRelease                    // releases, renews and detaches after its own deadline, too
	GrantOnce                      // a grant beside a damaged slot writes that one alone
	BreakKeepsToken                // writes the record's token, though a grant may be lost
	BreakFailsSilently             // does not ring if its write is said to have failed
	NoRecheckOfWatch               // a waiter that has just begun to watch sleeps until an event
	NoRecheckOfDamage              // a waiter that saw a damaged slot sleeps until an event
	ByteBeforeFreeRecord           // sound: drops the liveness byte before it writes the free record
	OwnsLostRecord                 // sound: a holder whose own record may be the lost one goes on
	CompareVersionAndFloor         // sound: takes a record for unchanged by its number and its floor
	InheritBlindly                 // who is told inherits though somebody lives
	InheritUnread                  // the same, though the record may be another one

	// TakenByteIsBusy makes of a new token's liveness byte that somebody has a reason to
	// try again, not a violation in itself, to show what comes of it.
	TakenByteIsBusy
)

// A machine explores a Config.
type machine struct{ Config }

func (m machine) is(v Variant) bool { return m.Variant&v != 0 }

// A state is the file, the clock, the processes, and what may still befall them.
type state struct {
	file  file
	procs [3]proc

	now                                                       uint8
	kills, damages, faults, breaks, renews, detaches, cancels uint8

	highest uint8 // token ever granted
	ticket  uint8 // token of the last ticket given out
	expires uint8 // when that ticket does; 0 once it is used or broken
}

func (m machine) Start() state {
	s := state{
		file:  file{{seq: 2, token: 1}, {seq: 1, token: 1}},
		kills: m.Kills, damages: m.Damages, faults: m.Faults, breaks: m.Breaks,
		renews: m.Renews, detaches: m.Detaches, cancels: m.Cancels,
		highest: 1,
	}
	for i := range m.Processes {
		s.procs[i] = proc{pc: rest, rounds: m.Rounds}
	}
	return s
}

// Canonical sorts the processes: nothing but their order in the state names them.
func (m machine) Canonical(s state) state {
	p := &s.procs
	for i := range p {
		p[i].settle(s.now)
	}
	order := func(i, j int) {
		if p[j].before(&p[i]) {
			p[i], p[j] = p[j], p[i]
		}
	}
	order(0, 1)
	order(1, 2)
	order(0, 1)
	return s
}

func (m machine) Next(s state, visit func(state, Step)) {
	for i := range s.procs {
		m.step(turn{machine: m, s: s, i: i, visit: visit})
	}
	m.befall(s, visit)
}
