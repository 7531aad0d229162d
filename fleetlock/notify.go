package fleetlock

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A listener is told of changes: of what may have cost it the lock, and, while it is
// parked, of what may have made the lock free. A change between two receives is told
// once.
type listener struct {
	changed chan struct{}
	stop    func()
	bell    func(hold bool) (held bool, err error)

	parked, told bool // of a waiter, and its own

	// news is where listeners have to look for changes by themselves, one of them for
	// all; nil if somebody else does. looking says that it is this one.
	news    *news
	looking atomic.Bool
	alarm   func() bool // of the last sleep
}

// News come from where goroutines of this process have to fetch them. Who waits for
// some fetches them: a goroutine of its own would have to be woken first, and then
// wake who waits.
type news struct {
	turn  chan struct{} // holds a value while somebody fetches
	drain func() error  // tells all listeners what there is
	// fetch does so once there is something or, if there is but one listener, returns.
	fetch func() (told bool, err error)
	hurry func() // has a fetch, even one that has yet to begin, return
	calm  func() // undoes hurry
}

// sleep returns after the time, or as soon as the listener is told something, or with
// ctx's error.
func (l *listener) sleep(ctx context.Context, c clock, d time.Duration) error {
	due := make(chan struct{}, 1)
	l.callOff()
	l.alarm = c.after(d, func() {
		due <- struct{}{}
		l.hurry()
	})
	var turn chan struct{}
	if l.news != nil {
		turn = l.news.turn
	}
	select {
	case <-l.changed:
		l.told = true
	case <-due:
	case <-ctx.Done():
	case turn <- struct{}{}:
		if l.look(ctx, due) {
			<-turn
		}
	}
	return ctx.Err()
}

// callOff stops the timer of the last sleep. Who was told has better things to do first.
func (l *listener) callOff() {
	if l.alarm != nil {
		l.alarm()
	}
}

// look fetches news until some are for this listener, or it is woken otherwise. It
// reports whether others may be able to go on with that.
func (l *listener) look(ctx context.Context, due chan struct{}) bool {
	l.looking.Store(true)
	defer l.looking.Store(false)
	if ctx.Done() != nil {
		defer context.AfterFunc(ctx, l.hurry)()
	}
	woken := func() bool {
		select {
		case <-l.changed:
			l.told = true
		default:
		}
		return l.told || len(due) > 0 || ctx.Err() != nil
	}
	for !woken() {
		l.news.calm()
		if woken() { // by somebody whose hurry was undone
			break
		}
		told, err := l.news.fetch()
		if err != nil {
			return false
		}
		l.told = told
	}
	return true
}

// forget drops old news.
func (l *listener) forget() {
	if l.news != nil {
		select {
		case l.news.turn <- struct{}{}:
			if l.news.drain() == nil {
				<-l.news.turn
			}
		default: // somebody does so all the time
		}
	}
	select {
	case <-l.changed:
	default:
	}
}

// hurry wakes a listener that looks for news.
func (l *listener) hurry() {
	if l.looking.Load() {
		l.news.hurry()
	}
}

// tell never waits: a listener that has yet to look at an earlier change will see this
// one, too.
func (l *listener) tell() {
	select {
	case l.changed <- struct{}{}:
		l.hurry()
	default:
	}
}

// A subject passes changes on to its listeners.
type subject struct {
	mu        sync.Mutex
	listeners []*listener
}

func (s *subject) listen(from *news) *listener {
	l := &listener{changed: make(chan struct{}, 1), news: from}
	l.stop = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		l.callOff()
		s.listeners = slices.DeleteFunc(s.listeners, func(has *listener) bool { return has == l })
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = append(s.listeners, l)
	return l
}

func (s *subject) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		l.tell()
	}
}
