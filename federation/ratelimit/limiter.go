// Package ratelimit is a ready [federation.Limiter]: a token bucket of
// golang.org/x/time/rate for each key, in bounded memory. It is a module of its own, so that
// only those who use it depend on golang.org/x/time.
//
// Give [federation.Config] one [Limiter] for Grants and another one for Addresses, and
// enroll.Config a third.
//
// # Guarantees
//
// A key is never let in more often than Burst at once and Rate per second after that, as
// long as it is remembered, and the limiter holds no more than Config.Keys of them.
//
// A bucket that has filled up again is as good as a new one, and a key whose bucket has
// is forgotten at no loss. Only when more keys than Config.Keys have come within the time
// that a bucket takes to fill, Burst / Rate, the one that was idle for longest is forgotten
// too early: a flood of addresses cannot make the limiter grow, but who commands more
// addresses than Keys is not held by a limit per address.
//
// # Limits
//
// The limits are those of one process. Several gateways that serve one peer give it the
// sum of their rates.
//
// [federation.Limiter]: https://pkg.go.dev/github.com/mosaicstack/fedkit/federation#Limiter
// [federation.Config]: https://pkg.go.dev/github.com/mosaicstack/fedkit/federation#Config
package ratelimit

import (
	"container/list"
	"crypto/sha256"
	"errors"
	"math"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxKey is how many bytes of a key are kept; a longer one is kept as its hash.
const maxKey = 64

// Config says how much is allowed under each key.
type Config struct {
	// Rate is how many requests per second are allowed in the long run. Required.
	Rate float64

	// Burst is how many requests are allowed at once after a pause, 1 or more.
	// Defaults to twice the Rate, and at least 1.
	Burst int

	// Keys is how many keys are remembered, at about 300 bytes each. Defaults to 65,536.
	Keys int

	// Now is the clock. One goroutine at a time asks it. Defaults to time.Now.
	Now func() time.Time
}

// A Limiter is a federation.Limiter. It is safe for concurrent use. The zero Limiter
// allows nothing.
type Limiter struct {
	rate  rate.Limit
	burst int
	most  int
	now   func() time.Time

	mu      sync.Mutex
	buckets map[string]*list.Element
	recent  *list.List // of *bucket, the one that was asked for last first
}

type bucket struct {
	key    string
	tokens *rate.Limiter
}

// New returns a limiter, or an error that says what of cfg is out of range.
func New(cfg Config) (*Limiter, error) {
	switch {
	case !(cfg.Rate > 0) || math.IsInf(cfg.Rate, 1): // NaN is not above 0 either
		return nil, errors.New("ratelimit: Config.Rate is not a number above 0")
	case cfg.Burst < 0:
		return nil, errors.New("ratelimit: Config.Burst is negative")
	case cfg.Keys < 0:
		return nil, errors.New("ratelimit: Config.Keys is negative")
	}
	if cfg.Burst == 0 {
		cfg.Burst = int(min(max(1, math.Ceil(2*cfg.Rate)), math.MaxInt32))
	}
	if cfg.Keys == 0 {
		cfg.Keys = 65_536
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Limiter{
		rate:    rate.Limit(cfg.Rate),
		burst:   cfg.Burst,
		most:    cfg.Keys,
		now:     cfg.Now,
		buckets: make(map[string]*list.Element),
		recent:  list.New(),
	}, nil
}

// Allow takes a token of the key's bucket. If there is none it takes nothing and tells
// how long it is until there is one.
func (l *Limiter) Allow(key string) (retryAfter time.Duration, ok bool) {
	if l.most == 0 {
		return 0, false // the zero Limiter
	}
	key = short(key)
	// Under one lock, and at times that never go back: whoever reserves between another's
	// reservation and its end would have the other one's token counted as taken.
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	taken := l.bucket(key).ReserveN(now, 1)
	wait := taken.DelayFrom(now)
	if wait > 0 {
		taken.CancelAt(now)
		return wait, false
	}
	return 0, taken.OK()
}

// bucket returns the bucket of a key, a full one if the key is new. To make room for it
// the key that was idle for longest is forgotten. The caller has the lock.
func (l *Limiter) bucket(key string) *rate.Limiter {
	if at, known := l.buckets[key]; known {
		l.recent.MoveToFront(at)
		return at.Value.(*bucket).tokens
	}
	if len(l.buckets) >= l.most {
		oldest := l.recent.Back()
		delete(l.buckets, oldest.Value.(*bucket).key)
		l.recent.Remove(oldest)
	}
	b := &bucket{strings.Clone(key), rate.NewLimiter(l.rate, l.burst)}
	l.buckets[b.key] = l.recent.PushFront(b)
	return b.tokens
}

// short bounds what is kept of a key. What stands for a long one is by one byte longer
// than any short one.
func short(key string) string {
	if len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return string(append(make([]byte, maxKey+1-len(sum)), sum[:]...))
}
