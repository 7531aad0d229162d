//go:build !linux || fleetlock_posix

package fleetlock

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestListenersAreToldNowAndThenAndNobodyElseIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s subject
		w, err := newWatch("", nil, &s)
		if err != nil {
			t.Fatal(err)
		}
		defer w.stop()
		count := func(more int) {
			if err := w.listen(more); err != nil {
				t.Fatal(err)
			}
		}
		// Whoever comes and goes leaves no second timer behind.
		for range 10 {
			count(1)
			count(-1)
		}
		count(1)
		l := s.listen()
		before := s.count.Load()
		for range 10 {
			<-l.changed
		}
		if told := s.count.Load() - before; told != 10 {
			t.Errorf("10 changes were told of %d times", told)
		}
		l.stop()
		count(-1)
		time.Sleep(2 * pollInterval)
		before = s.count.Load()
		time.Sleep(10 * pollInterval)
		if s.count.Load() != before {
			t.Error("nobody listens, but is told")
		}
	})
}
