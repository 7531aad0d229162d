package model

// What may never be.
const (
	TwoHolders      Violation = "two hold the lock at once"
	EarlyGrant      Violation = "the lock is granted while its holder has time left"
	TokenRepeated   Violation = "a token does not rise"
	ByteTaken       Violation = "somebody has the liveness byte of a token that was never granted"
	LostWakeUp      Violation = "a waiter sleeps for ever though the lock can be had"
	NotTold         Violation = "a holder that lost the lock takes it for its own"
	NeverTold       Violation = "a holder whose lock was broken is never told"
	FalseLoss       Violation = "a holder is told of a loss that never was"
	TicketLost      Violation = "the lock of a ticket is given away before its time"
	Phantom         Violation = "a process that has nothing to do with the lock keeps a part of it"
	RecordDestroyed Violation = "no slot holds a record"
)
