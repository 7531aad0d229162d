package enroll_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/federation/enroll"
	"github.com/mosaicstack/fedkit/internal/certtest"
)

// A counter is a Limiter that allows so many requests under each key.
type counter struct {
	most int

	mu    sync.Mutex
	times map[string]int
}

func (c *counter) Allow(key string) (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.times == nil {
		c.times = make(map[string]int)
	}
	c.times[key]++
	return 90 * time.Second, c.times[key] <= c.most
}

// Whatever a request is, it counts; and what is too much costs neither a look-up nor the
// token.
func TestAnAddressThatAsksTooOftenIsRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	limit := &counter{most: 3}
	o.cfg.Addresses = limit
	looked := &lookedUp{Tickets: o.tickets}
	o.cfg.Tickets = looked
	o.open(t)
	token := o.invite(t, grantID)
	o.steps()
	for range 2 {
		o.post(t, body(t, "fe1_"+strings.Repeat("A", 64), goodCSR(t)))
	}
	o.post(t, "x")
	if got := o.steps(); got != "refused:token_unknown refused:token_unknown refused:bad_request" {
		t.Errorf("the steps are %s", got)
	}
	asked := looked.times
	var first string
	for name, text := range map[string]string{"a good token": body(t, token, goodCSR(t)), "no request": "x", "nothing": ""} {
		status, wire := o.post(t, text)
		if first == "" {
			first = wire
		}
		if status != http.StatusTooManyRequests || wire != first || !strings.Contains(wire, "Retry-After: 90\r\n") || !strings.Contains(wire, `"rate_limited"`) {
			t.Errorf("%s: the answer is %d\n%s\nand not\n%s", name, status, wire, first)
		}
		if got := o.steps(); got != "refused:rate_limited" {
			t.Errorf("%s: the steps are %s", name, got)
		}
	}
	if looked.times != asked || len(limit.times) != 1 || limit.times["127.0.0.1"] != 6 {
		t.Errorf("there were %d look-ups more; the limiter has seen %v", looked.times-asked, limit.times)
	}
	limit.mu.Lock()
	limit.most = 100
	limit.mu.Unlock()
	o.mustRedeem(t, token, certtest.NewKey(t)) // the token is still good
}

// lookedUp counts the look-ups of tickets.
type lookedUp struct {
	enroll.Tickets
	times int // of requests that come one after the other
}

func (l *lookedUp) Get(ctx context.Context, id string) (enroll.Ticket, error) {
	l.times++
	return l.Tickets.Get(ctx, id)
}

// brokenLimiter panics.
type brokenLimiter struct{}

func (brokenLimiter) Allow(string) (time.Duration, bool) { panic("canary") }

func TestALimiterThatPanicsLetsNobodyIn(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.cfg.Addresses = brokenLimiter{}
	o.open(t)
	if status, wire := o.post(t, body(t, o.invite(t, grantID), goodCSR(t))); status != http.StatusInternalServerError {
		t.Errorf("the answer is %d %s", status, wire)
	}
	if got := o.steps(); got != "invited refused:panicked" {
		t.Errorf("the steps are %s", got)
	}
}
