package fleetlock

import (
	"os"
	"os/exec"
	"testing"
	"testing/synctest"
	"time"
)

// In a process of its own, because it is about who asks first.
func TestTheClockIsNotThatOfABubbleWhichAskedFirst(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(os.Args[0], "-test.run=^TestABubbleHasATimeOfItsOwn$", "-test.count=1").CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestABubbleHasATimeOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := systemClock.now()
		time.Sleep(time.Hour)
		if passed, ok := systemClock.now().sub(before); passed != time.Hour || !ok {
			t.Errorf("an hour takes %v, in one boot: %v", passed, ok)
		}
	})
	if off := systemClock.now().uptime - uptime(); off.Abs() > time.Minute {
		t.Errorf("outside of it the clock is off by %v", off)
	}
}
