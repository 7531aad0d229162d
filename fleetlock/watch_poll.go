//go:build !linux || fleetlock_posix

package fleetlock

import (
	"os"
	"sync"
	"time"
)

// pollInterval is how long a change may go unnoticed that a listener does not look for
// by itself. Those who wait for a lock do, more often: see pause.
const pollInterval = 100 * time.Millisecond

// A watch has a subject's listeners look again and again. kqueue(2) and
// ReadDirectoryChangesW tell of what is done to a file, but not, as inotify does, that a
// process which had it open has died.
type watch struct {
	subject *subject

	mu        sync.Mutex
	listeners int
	armed     bool // whether a timer runs
}

// newWatch never fails, and costs nothing while nobody listens.
func newWatch(_ string, _ *os.File, s *subject) (*watch, error) { return &watch{subject: s}, nil }

// sharedWatcher has nothing to open before the file is.
func sharedWatcher() (*watch, error) { return nil, nil }

func (w *watch) listen(more int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listeners += more
	w.arm()
	return nil
}

// arm is called with the mutex held.
func (w *watch) arm() {
	if w.listeners > 0 && !w.armed {
		w.armed = true
		time.AfterFunc(pollInterval, w.tick)
	}
}

func (w *watch) tick() {
	w.subject.notify()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = false
	w.arm()
}

// hush has nothing to do once nobody listens.
func (w *watch) hush() (loud bool) { return false }

// news need not be fetched: the timer tells.
func (w *watch) news() *news { return nil }

// stop has nothing to do once nobody listens.
func (w *watch) stop() {}
