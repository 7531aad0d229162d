package fleetlock

import (
	"crypto/sha256"
	"crypto/subtle"
	"time"
)

// The state machine of a lock, whatever register holds its record: free, held,
// detached, and expired when who had it can be passed over.

// A State is what a lock is, seen from outside.
type State uint8

const (
	// StateFree: nobody has the lock.
	StateFree State = iota + 1
	// StateHeld: a process has the lock.
	StateHeld
	// StateDetached: a ticket has the lock.
	StateDetached
	// StateExpired: who had the lock died without releasing it, was silent for longer
	// than its lease, let its ticket run out, or handed it over to somebody who did not
	// take it. It is free for the next one.
	StateExpired
)

func (s State) String() string {
	switch s {
	case StateFree:
		return "free"
	case StateHeld:
		return "held"
	case StateDetached:
		return "detached"
	case StateExpired:
		return "expired"
	}
	return "unknown"
}

// open reports whether the lock may be granted.
func (s State) open() bool { return s == StateFree || s == StateExpired }

// A snapshot is what a register held at some moment.
type snapshot struct {
	record
	version
}

// A version tells a record from every other that the register held.
type version struct {
	sequence uint64
	// floor is the highest token that may have been granted: more than the record says
	// if a later record may have been lost.
	floor uint64
}

// carry has a record that follows the version remember which tokens may be taken.
func (v version) carry(r record) record {
	r.highest = max(r.token, v.floor)
	return r
}

// damaged reports whether a later record may have been lost.
func (s snapshot) damaged() bool { return s.floor != s.highest }

// A verdict is what a snapshot says at some moment.
type verdict struct {
	State
	token uint64        // of who has the lock, or had it last
	left  time.Duration // until time alone may change the state, or zero
}

// judge says what the lock is, by the clock and by who is alive.
func judge(s snapshot, alive func(token uint64) (bool, error), now instant) (verdict, error) {
	if s.damaged() {
		// Whom a lost record granted the lock to, one knows by being alive.
		if lives, err := alive(s.floor); lives || err != nil {
			return verdict{StateHeld, s.floor, 0}, err
		}
	}
	switch s.state {
	case stateHeld:
		return judgeHeld(s, alive, now)
	case stateDetached:
		if left, _ := s.until.sub(now); left > 0 {
			return verdict{StateDetached, s.token, left}, nil
		}
		return verdict{StateExpired, s.token, 0}, nil
	}
	if s.state != stateFree {
		return verdict{}, ErrCorrupt // decodeRecord lets no other pass
	}
	return verdict{StateFree, s.token, 0}, nil
}

func judgeHeld(s snapshot, alive func(token uint64) (bool, error), now instant) (verdict, error) {
	lives, err := alive(s.token)
	if err != nil {
		return verdict{}, err
	}
	if !lives {
		return verdict{StateExpired, s.token, 0}, nil
	}
	if s.lease == 0 || s.damaged() { // a renewal may have been lost with the later record
		return verdict{StateHeld, s.token, 0}, nil
	}
	left, comparable := s.until.sub(now)
	if comparable && left <= 0 {
		return verdict{StateExpired, s.token, 0}, nil
	}
	if !comparable {
		left = 0 // it lives, and by a clock that this process does not know
	}
	return verdict{StateHeld, s.token, left}, nil
}

// holder is who a verdict is about, as far as the snapshot knows.
func (s snapshot) holder(v verdict) Holder {
	if v.token != s.token {
		return Holder{Token: v.token}
	}
	return s.describe()
}

// grant is the record of a new holder. The token rises with every grant.
func (s snapshot) grant(who identity, lease time.Duration, now instant) record {
	r := record{state: stateHeld, token: s.floor + 1, holder: who, since: now.wall, lease: lease}
	return s.carry(r.renew(now))
}

// renew counts the lease from now on.
func (r record) renew(now instant) record {
	if r.lease > 0 {
		r.until = now.add(r.lease)
	}
	return r
}

func (r record) release() record {
	r.state, r.lease, r.until = stateFree, 0, instant{}
	return r
}

// detach leaves the lock to whoever knows the secret.
func (r record) detach(secret []byte, ttl time.Duration, now instant) record {
	r.state, r.lease, r.ticket = stateDetached, ttl, sha256.Sum256(secret)
	return r.renew(now)
}

// admits reports whether the secret is that of the ticket.
func (r record) admits(secret []byte) bool {
	sum := sha256.Sum256(secret)
	return subtle.ConstantTimeCompare(sum[:], r.ticket[:]) == 1
}

// brk takes the lock from whoever has it under a token.
func (s snapshot) brk(token uint64, why string) record {
	r := s.release()
	r.token, r.ticket, r.why = token, [32]byte{}, why
	return s.carry(r)
}

// lossOf says why a record is no longer that of the holder with a token.
func (r record) lossOf(token uint64) string {
	switch {
	case r.token > token:
		return "taken over by " + r.describe().String()
	case r.token == token && r.state == stateFree:
		return "broken: " + r.why
	case r.token == token && r.state == stateDetached:
		return "detached"
	}
	return "the record was lost"
}

// describe tells others about the holder.
func (r record) describe() Holder {
	h := Holder{
		Token: r.token, Label: r.holder.label, Host: r.holder.host, PID: r.holder.pid, Since: r.since,
		Lease: r.lease, Detached: r.state == stateDetached,
	}
	if r.lease > 0 {
		h.Until = r.until.wall
	}
	return h
}
