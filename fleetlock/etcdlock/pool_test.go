package etcdlock

import (
	"testing"
	"time"
)

// A lease that was asked for a margin ago is used without asking for it again.
func TestALeaseIsGoodForATermThatBeginsAMarginLater(t *testing.T) {
	t.Parallel()
	for _, length := range []time.Duration{
		1, time.Second - margin, time.Second - margin + 1, time.Second, 2*time.Second - 1, 2 * time.Second, time.Minute,
	} {
		ttl := time.Duration(seconds(length)) * time.Second
		if ttl < length+margin || ttl >= length+margin+time.Second {
			t.Errorf("for a term of %v a lease has %v", length, ttl)
		}
	}
}
