package ratelimit_test

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/ratelimit"
)

var _ federation.Limiter = (*ratelimit.Limiter)(nil)

// A clock is a time that stands until it is moved.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func (c *clock) pass(d time.Duration) { c.at = c.at.Add(d) }

func newClock() *clock { return &clock{time.Date(2026, 6, 24, 3, 0, 0, 0, time.UTC)} }

func newLimiter(tb testing.TB, cfg ratelimit.Config) *ratelimit.Limiter {
	tb.Helper()
	l, err := ratelimit.New(cfg)
	if err != nil {
		tb.Fatalf("%+v is refused: %v", cfg, err)
	}
	return l
}

// allowed takes n times under the key and returns how often that was allowed.
func allowed(l *ratelimit.Limiter, key string, n int) (times int) {
	for range n {
		if _, ok := l.Allow(key); ok {
			times++
		}
	}
	return times
}

func TestABurstIsAllowedAndThenTheRate(t *testing.T) {
	c := newClock()
	l := newLimiter(t, ratelimit.Config{Rate: 2, Burst: 5, Now: c.now})
	if n := allowed(l, "a", 100); n != 5 {
		t.Errorf("%d of 100 at once are allowed where the burst is 5", n)
	}
	if wait, ok := l.Allow("a"); ok || wait != 500*time.Millisecond {
		t.Errorf("the next one has to wait for %v, %t", wait, ok)
	}
	if n := allowed(l, "b", 100); n != 5 {
		t.Errorf("%d are allowed under another key", n)
	}
	total := 0
	for range 100 {
		c.pass(100 * time.Millisecond)
		total += allowed(l, "a", 10)
	}
	if total != 20 {
		t.Errorf("%d are allowed in 10 seconds at 2 per second", total)
	}
	c.pass(time.Hour)
	if n := allowed(l, "a", 100); n != 5 {
		t.Errorf("%d are allowed after an hour", n)
	}
}

// Who is refused has used nothing up: asking again and again does not move the time at
// which the next request is allowed.
func TestARefusalTakesNoToken(t *testing.T) {
	c := newClock()
	l := newLimiter(t, ratelimit.Config{Rate: 1, Burst: 1, Now: c.now})
	allowed(l, "a", 1000)
	wait, _ := l.Allow("a")
	c.pass(wait)
	if _, ok := l.Allow("a"); !ok {
		t.Errorf("after the wait of %v that was asked for the next one is refused", wait)
	}
}

// A hundred thousand addresses do not make the limiter larger than a few do.
func TestAFloodOfKeysDoesNotGrowTheLimiter(t *testing.T) {
	l := newLimiter(t, ratelimit.Config{Rate: 1, Keys: 1000})
	grow := func(n int, key func(int) string) uint64 {
		for i := range n {
			l.Allow(key(i))
		}
		if l.Len() > 1000 {
			t.Fatalf("%d keys are remembered", l.Len())
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	address := func(i int) string { return fmt.Sprintf("2001:db8:%x:%x::/64", i>>16, i&0xffff) }
	before := grow(2000, address)
	after := grow(100_000, address)
	long := grow(20_000, func(i int) string { return strings.Repeat("x", 10_000) + fmt.Sprint(i) })
	if after > before+1<<20 || long > before+1<<20 {
		t.Errorf("%d bytes became %d by a hundred thousand keys and %d by long ones", before, after, long)
	}
}

// The key that was idle for longest goes first, so one that is busy stays limited
// while others come and go.
func TestABusyKeyIsNotForgotten(t *testing.T) {
	c := newClock()
	l := newLimiter(t, ratelimit.Config{Rate: 0.001, Burst: 1, Keys: 10, Now: c.now})
	total := 0
	for i := range 1000 {
		total += allowed(l, "busy", 1)
		l.Allow(fmt.Sprint("other ", i))
	}
	if total != 1 {
		t.Errorf("the busy key is allowed %d times", total)
	}
}

func TestLongKeysAreToldApart(t *testing.T) {
	c := newClock()
	l := newLimiter(t, ratelimit.Config{Rate: 1, Burst: 1, Now: c.now})
	for _, key := range []string{"", "a", strings.Repeat("a", 64), strings.Repeat("a", 65), strings.Repeat("a", 64) + "b", strings.Repeat("a", 1<<20), strings.Repeat("\x00", 65)} {
		if n := allowed(l, key, 3); n != 1 {
			t.Errorf("the key %.70q of %d bytes is allowed %d times", key, len(key), n)
		}
	}
}

func TestManyGoroutinesGetNoMoreThanTheRate(t *testing.T) {
	c := newClock()
	l := newLimiter(t, ratelimit.Config{Rate: 1, Burst: 50, Keys: 4, Now: c.now})
	var total atomic.Int64
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() { total.Add(int64(allowed(l, "a", 100))) })
	}
	wait.Wait()
	if total.Load() != 50 {
		t.Errorf("%d requests are allowed where the burst is 50", total.Load())
	}
}

// Two that meet in the middle of a refusal are rare: so many calls that some do.
func TestRefusalsAtTheSameTimeTakeNoToken(t *testing.T) {
	c := newClock()
	l := newLimiter(t, ratelimit.Config{Rate: 1, Burst: 1, Now: c.now})
	allowed(l, "a", 1)
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() { allowed(l, "a", 50_000) })
	}
	wait.Wait()
	c.pass(time.Second)
	if retryAfter, ok := l.Allow("a"); !ok {
		t.Errorf("a second after many were refused at once, the next one has to wait for %v", retryAfter)
	}
}

func TestTheZeroLimiterAllowsNothing(t *testing.T) {
	if _, ok := new(ratelimit.Limiter).Allow("a"); ok {
		t.Error("the zero Limiter allows a request")
	}
}

func TestALimiterNeedsARate(t *testing.T) {
	for _, cfg := range []ratelimit.Config{
		{}, {Rate: -1}, {Rate: math.NaN()}, {Rate: math.Inf(1)}, {Rate: 1, Burst: -1}, {Rate: 1, Keys: -1},
	} {
		if l, err := ratelimit.New(cfg); l != nil || err == nil {
			t.Errorf("%+v is accepted", cfg)
		}
	}
	for rate, burst := range map[float64]int{0.1: 1, 0.6: 2, 5: 10} {
		c := newClock()
		if n := allowed(newLimiter(t, ratelimit.Config{Rate: rate, Now: c.now}), "a", 100); n != burst {
			t.Errorf("a rate of %v has the burst %d", rate, n)
		}
	}
}

func BenchmarkAllow(b *testing.B) {
	l := newLimiter(b, ratelimit.Config{Rate: 1e6, Burst: 1 << 30})
	b.ReportAllocs()
	for b.Loop() {
		l.Allow("2001:db8::/64")
	}
}
