package federation

import (
	"errors"
	"sync"
	"time"
)

const (
	breakAfter  = 3                // failures one behind the other
	firstBreak  = 5 * time.Second  // before a peer that failed is tried again
	longestRest = 80 * time.Second // after further failures
)

// breakers keep requests away from peers that are dead: after several failures in a row a
// peer is left alone, and then tried with one request at a time, until one is answered.
// They remember peers that failed alone, so they are never more than the peers.
type breakers struct {
	now func() time.Time

	mu    sync.Mutex
	clock int // of what happened, whatever the time is
	open  map[string]*breaker
}

// A breaker is what is remembered of one peer.
type breaker struct {
	failures int
	last     int       // when, by the clock of the breakers
	until    time.Time // nobody asks before it
}

// allow tells if a peer may be asked now, and when that was. Behind a break, it lets one
// through.
func (b *breakers) allow(peer string) (began int, allowed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock++
	known := b.open[peer]
	if known == nil || known.until.IsZero() {
		return b.clock, true
	}
	now := b.now()
	if now.Before(known.until) {
		return b.clock, false
	}
	known.until = now.Add(firstBreak) // until it is known how this one ended
	return b.clock, true
}

// report tells how a request to a peer ended. Only a peer that does not answer, or says
// that it cannot, is dead; one that refuses lives. What was given up here says nothing,
// and requests that were under way together fail once.
func (b *breakers) report(peer string, began int, err error) {
	var failed *PeerError
	if errors.As(err, &failed) && failed.Code == ErrCanceled {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case failed == nil:
		delete(b.open, peer)
	case failed.Code == ErrRateLimited && failed.RetryAfter > 0:
		b.of(peer).until = b.now().Add(min(failed.RetryAfter, longestRest))
	case failed.Code == ErrUnreachable, failed.Code == ErrTimeout, failed.Code == ErrUnavailable:
		known := b.of(peer)
		if began < known.last {
			return
		}
		b.clock++
		known.last = b.clock
		if known.failures++; known.failures >= breakAfter {
			rest := firstBreak << min(known.failures-breakAfter, 10)
			known.until = b.now().Add(min(max(rest, failed.RetryAfter), longestRest))
		}
	default:
		delete(b.open, peer)
	}
}

func (b *breakers) of(peer string) *breaker {
	if b.open == nil {
		b.open = make(map[string]*breaker)
	}
	known := b.open[peer]
	if known == nil {
		known = &breaker{}
		b.open[peer] = known
	}
	return known
}
