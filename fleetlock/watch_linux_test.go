package fleetlock

import (
	"os"
	"testing"
)

// The garbage collector may end the watch of a session that nobody uses any more while
// a goroutine is about to tell it that it need not listen.
func TestAWatchThatHasEndedIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := lockPath(t)
	if err := makeLock(path); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var watches [2]*watch // of one file
	for i := range watches {
		if watches[i], err = newWatch(path, f, new(subject)); err != nil {
			t.Fatal(err)
		}
		if err := watches[i].listen(1); err != nil {
			t.Fatal(err)
		}
	}
	watches[0].stop()
	if err := watches[0].listen(-1); err != nil {
		t.Errorf("a watch that has ended answers with %v", err)
	}
	watches[0].stop()
	if err := watches[1].listen(-1); err != nil {
		t.Errorf("a watch of the same file answers with %v", err)
	}
	watches[1].stop()
}
