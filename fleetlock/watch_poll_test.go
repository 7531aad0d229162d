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
		l := s.listen(nil)
		defer l.stop()
		began := time.Now()
		for range 10 {
			<-l.changed
		}
		if took := time.Since(began); took != 10*pollInterval {
			t.Errorf("10 changes were told of in %v, not in %v", took, 10*pollInterval)
		}
		count(-1)
		time.Sleep(2 * pollInterval)
		select { // what was on its way
		case <-l.changed:
		default:
		}
		select {
		case <-l.changed:
			t.Error("nobody asks for it, and is told")
		case <-time.After(10 * pollInterval):
		}
	})
}
