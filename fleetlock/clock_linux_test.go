package fleetlock

import (
	"sync"
	"testing"
	"time"
)

// A testClock goes only when it is told to, apart for the clock on the wall and the one
// that nobody sets.
type testClock struct {
	mu     sync.Mutex
	at     instant
	timers map[*testTimer]struct{}
	set    int // how often a timer was
}

type testTimer struct {
	at time.Duration
	f  func()
}

func newTestClock() *testClock {
	return &testClock{
		at:     instant{boot: [16]byte{1}, uptime: time.Hour, wall: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		timers: make(map[*testTimer]struct{}),
	}
}

// another is a clock of the same moment that goes by itself.
func (c *testClock) another() *testClock {
	return &testClock{at: c.now(), timers: make(map[*testTimer]struct{})}
}

func by(c clock) Option { return func(o *options) { o.clock = c } }

func (c *testClock) now() instant {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *testClock) after(d time.Duration, f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &testTimer{at: c.at.uptime + d, f: f}
	c.timers[t] = struct{}{}
	c.set++
	c.fire()
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, was := c.timers[t]
		delete(c.timers, t)
		return was
	}
}

func (c *testClock) fire() {
	for t := range c.timers {
		if t.at <= c.at.uptime {
			t.f()
			delete(c.timers, t)
		}
	}
}

// advance lets time pass.
func (c *testClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.add(d)
	c.fire()
}

// jump lets time pass that the process does not notice: no timer wakes anyone.
func (c *testClock) jump(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.add(d)
}

// step sets the clock on the wall, as an operator does, or the machine's sleep.
func (c *testClock) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at.wall = c.at.wall.Add(d)
}

// boot starts the machine anew after some time on the wall.
func (c *testClock) boot(after time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = instant{boot: [16]byte{c.at.boot[0] + 1}, uptime: time.Second, wall: c.at.wall.Add(after)}
}

// sleeps is how often somebody has begun to sleep by the clock.
func (c *testClock) sleeps() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.set
}

// awaitSleepers returns when so many goroutines sleep by the clock.
func (c *testClock) awaitSleepers(t *testing.T, n int) {
	t.Helper()
	eventually(t, "as many sleep as should", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.timers) == n
	})
}

// eventually waits for what other goroutines bring about.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for began := time.Now(); !is(); time.Sleep(time.Millisecond) {
		if time.Since(began) > patiently {
			t.Fatalf("it does not come to it that %s", what)
		}
	}
}
