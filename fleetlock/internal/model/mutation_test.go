package model

import "testing"

// The configurations in which a broken protocol shows.
var (
	strict   = Config{Processes: 2, Rounds: 2, Kills: 1}
	calm     = Config{Processes: 2, Rounds: 1}
	faulty   = Config{Processes: 2, Rounds: 1, Faults: 1}
	damaged  = Config{Processes: 2, Rounds: 2, Kills: 1, Damages: 1}
	leased   = Config{Processes: 2, Rounds: 1, Lease: 2, Own: 1, Ticks: 3}
	renewed  = Config{Processes: 2, Rounds: 1, Lease: 2, Own: 1, Ticks: 3, Renews: 1}
	renewing = Config{Processes: 2, Rounds: 1, Lease: 4, Own: 3, Ticks: 4, Renews: 1}
	hung     = Config{Processes: 2, Rounds: 2, Lease: 2, Own: 1, Ticks: 2, Damages: 1}
	operated = Config{Processes: 2, Rounds: 1, Breaks: 1}
	ticketed = Config{Processes: 2, Rounds: 2, TTL: 2, Ticks: 3, Detaches: 1}
)

// A mutation is a broken protocol, and what the explorer must find in it.
type mutation struct {
	name    string
	variant Variant
	Config
	wrong Violation
}

func TestEveryMutationOfTheProtocolIsCaught(t *testing.T) {
	t.Parallel()
	withDamage := func(c Config) Config { c.Damages = 1; return c }
	for _, m := range []mutation{
		{"no guard", NoGuard, strict, ByteTaken},
		{"no guard, and a taken byte is no alarm", NoGuard | TakenByteIsBusy, strict, TokenRepeated},
		{"no second look under the guard", NoReread, strict, ByteTaken},
		{"no second look, and a taken byte is no alarm", NoReread | TakenByteIsBusy, strict, TokenRepeated},
		{"a lease is taken over without a second look", TakeOverBlindly, renewing, EarlyGrant},
		{"a liveness byte is taken after the write", ByteAfterWrite, strict, EarlyGrant},
		{"a release rings before it unlocks, and a waiter looks once", RingBeforeUnlock | NoRecheckOfClose, calm, LostWakeUp},
		{"a release does not ring", NoRing, strict, LostWakeUp},
		{"a waiter registers after it looked", WaitAfterLoad | NoRecheckOfWatch, calm, LostWakeUp},
		{"a waiter watches after it looked", WatchAfterLoad | NoRecheckOfWatch, calm, LostWakeUp},
		{"a waiter looks once after a close event", NoRecheckOfClose, strict, LostWakeUp},
		{"a single slot is written in place", InPlace, strict, RecordDestroyed},
		{"the token starts again after a release", TokenReset, strict, TokenRepeated},
		{"the token after the record's is granted beside a damaged slot", TokenPlusOne, damaged, TokenRepeated},
		{"nobody asks whom a lost record grants the lock to", FloorUnasked, damaged, EarlyGrant},
		{"a lease runs out beside a damaged slot", LeaseOfDamage, withDamage(renewing), EarlyGrant},
		{"a holder uses its whole lease", DeadlineIsLease, Config{Processes: 2, Rounds: 1, Lease: 2, Own: 1, Ticks: 4, Touch: true}, TwoHolders},
		{"a holder counts its lease from after the write", DeadlineAfterWrite, leased, EarlyGrant},
		{"a lock is detached in one slot", DetachOnce, withDamage(ticketed), TicketLost},
		{"a lock is detached silently", DetachSilently, ticketed, LostWakeUp},
		{"a ticket is resumed beside a damaged slot", ResumeOfDamage, Config{Processes: 2, Rounds: 2, TTL: 1, Detaches: 1, Damages: 1}, EarlyGrant},
		{"a lease is renewed whatever the record says", RenewBlindly | LateRelease, renewed, NotTold},
		{"a lease is renewed by its token alone", RenewByToken, Config{Processes: 2, Rounds: 1, Lease: 4, Own: 3, Ticks: 4, Renews: 1, Breaks: 1}, NotTold},
		{"a Break rings only if somebody waits", BreakRingsWaiters, operated, NeverTold},
		{"a holder's check reads no record", CheckByClock, operated, NotTold},
		{"a grant that failed keeps its liveness byte", FaultKeepsByte, faulty, Phantom},
		{"a release that cannot write is over", FaultEndsRelease, faulty, Phantom},
		{"a grant after ctx has ended is forgotten", CancelKeepsGrant, Config{Processes: 2, Rounds: 1, Cancels: 1}, Phantom},
		{"a process stays registered as a waiter", KeepsWaiting, strict, Phantom},
		{"who is told inherits from the living", InheritBlindly, Config{Processes: 3, Rounds: 1, Kills: 1}, EarlyGrant},
		{"who is told inherits by a record that may be another one", InheritUnread, ticketed, TicketLost},
	} {
		m.check(t)
	}
}

// What a draft of the protocol did, or left open.
func TestTheDraftOfTheProtocolIsCaught(t *testing.T) {
	t.Parallel()
	drafts := []mutation{
		{"a new waiter relies on events alone", NoRecheckOfWatch, strict, LostWakeUp},
		{"a waiter that saw a damaged slot relies on events alone", NoRecheckOfDamage | NoRecheckOfWatch, leased, LostWakeUp},
		{"the second look compares the sequence number alone", CompareSequence, damaged, EarlyGrant},
		{"a grant beside a damaged slot writes that one alone", GrantOnce, damaged, TokenRepeated},
		{"a Break does not ring after a failing write", BreakFailsSilently, Config{Processes: 2, Rounds: 1, Breaks: 1, Faults: 1}, NeverTold},
	}
	if !raceDetector {
		mistaken := Config{Processes: 2, Rounds: 2, Faults: 1, Breaks: 1, Damages: 1}
		drafts = append(drafts,
			mutation{"a holder past its deadline still writes", LateRelease, hung, ByteTaken},
			mutation{"a holder past its deadline still writes, and a taken byte is no alarm", LateRelease | TakenByteIsBusy, hung, TokenRepeated},
			mutation{"a Break beside a damaged slot keeps the token", BreakKeepsToken, mistaken, ByteTaken},
			mutation{"a Break beside a damaged slot keeps the token, and a taken byte is no alarm", BreakKeepsToken | TakenByteIsBusy, mistaken, TokenRepeated},
		)
	}
	for _, m := range drafts {
		m.check(t)
	}
}

func (m mutation) check(t *testing.T) {
	t.Run(m.name, func(t *testing.T) {
		t.Parallel()
		m.Variant = m.variant
		got := Explore(machine{m.Config})
		t.Log(got)
		if got.Wrong != m.wrong {
			t.Errorf("if %s, the explorer must find that %q; it found: %v", m.name, m.wrong, got)
		}
	})
}
