package federation

import (
	"errors"
	"maps"
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
// They remember peers that failed alone, so they are never more than the peers. What a
// peer says of one grant, that it asks too often, is kept apart: it must not keep the
// peer from those of others.
type breakers struct {
	now func() time.Time

	mu    sync.Mutex
	clock int // of what happened, whatever the time is
	open  map[string]*breaker
	rests map[resting]time.Time // until when
}

// A resting grant is one that a peer wants to be left alone by.
type resting struct{ peer, grant string }

// maxRests is how many rests are kept until those that are over are forgotten.
const maxRests = 1024

// A breaker is what is remembered of one peer.
type breaker struct {
	failures int
	last     int       // when, by the clock of the breakers
	probe    int       // when the request began that was let through behind a break
	until    time.Time // nobody asks before it
}

// allow tells if a peer may be asked for a grant now, and when that was. Behind a break,
// it lets one through.
func (b *breakers) allow(peer, grant string) (began int, allowed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock++
	if until, rests := b.rests[resting{peer, grant}]; rests && b.now().Before(until) {
		return b.clock, false
	}
	known := b.open[peer]
	if known == nil || known.until.IsZero() {
		return b.clock, true
	}
	now := b.now()
	if now.Before(known.until) {
		return b.clock, false
	}
	known.until = now.Add(firstBreak) // until it is known how this one ended
	known.probe = b.clock
	return b.clock, true
}

// report tells how a request to a peer ended. Only a peer that does not answer, or says
// that it cannot, is dead; one that refuses lives. What was given up here says nothing, nor
// does a certificate that is not accepted, which is that of one grant; and requests that
// were under way together fail once.
func (b *breakers) report(peer, grant string, began int, err error) {
	var failed *PeerError
	errors.As(err, &failed)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case failed == nil:
		delete(b.open, peer)
	case failed.Code == ErrCanceled, isRefusedCertificate(failed.Err): // that of one grant
		if known := b.open[peer]; known != nil && known.probe == began {
			known.until = b.now() // the next one may find out
		}
	case failed.Code == ErrRateLimited && failed.RetryAfter > 0:
		delete(b.open, peer)
		b.rest(resting{peer, grant}, failed.RetryAfter)
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

// rest keeps a grant away from a peer for a while.
func (b *breakers) rest(r resting, wait time.Duration) {
	now := b.now()
	if b.rests == nil {
		b.rests = make(map[resting]time.Time)
	}
	if len(b.rests) >= maxRests {
		maps.DeleteFunc(b.rests, func(_ resting, until time.Time) bool { return !now.Before(until) })
	}
	b.rests[r] = now.Add(min(wait, longestRest))
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
