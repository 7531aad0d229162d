package fleetlock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Lock is one lock as one process sees it. It may be used by many goroutines; those
// that wait are served in the order in which they came. It must not be copied.
type Lock struct {
	path    string
	options options
	err     error // of the path or the options
	open    func() (store, error)
	look    func(context.Context) (viewer, error)

	queue chan struct{} // holds one value while one of the waiting is at the front

	mu    sync.Mutex
	store store    // as long as the name leads to it
	last  snapshot // what the last swap left; a guess, for swap to check

	woke atomic.Int64 // when a release last woke others, see sinceStart; 0 if the last one did not
}

// File returns the lock that stands in the file at path. Nothing is opened or created
// before the lock is asked for. A bad option is the error of every method.
func File(path string, opts ...Option) *Lock {
	o, err := collect(opts)
	absolute, pathErr := filepath.Abs(path)
	l := &Lock{path: absolute, options: o, err: errors.Join(err, pathErr, fitFile(o)), queue: make(chan struct{}, 1)}
	l.open = func() (store, error) { return openSession(l.path, l.options) }
	l.look = func(context.Context) (viewer, error) { return viewFile(l.path, o) }
	if o.slots > 1 {
		fileSlots(l)
	}
	return l
}

// Acquire waits until the lock is granted or ctx ends. Then the error wraps ctx's, and
// a *[BusyError] that says who holds the lock, if that is known. However long it
// waits, it takes the lock from nobody who lives, but for a lease that ran out.
func (l *Lock) Acquire(ctx context.Context) (*Held, error) {
	if err := l.ready(ctx); err != nil {
		return nil, err
	}
	select {
	case l.queue <- struct{}{}:
	default:
		select {
		case l.queue <- struct{}{}:
		case <-ctx.Done():
			return nil, l.gaveUp(ctx)
		}
	}
	defer func() { <-l.queue }()
	if err := l.giveWay(ctx); err != nil {
		return nil, l.gaveUp(ctx)
	}
	h, err := l.try(ctx, l.grantOpen)
	if err != nil && errors.Is(err, ctx.Err()) {
		return nil, l.gaveUp(ctx)
	}
	if !isBusy(err) {
		return h, err
	}
	for {
		if h, err = l.wait(ctx); !errors.Is(err, errMoved) {
			return h, err
		}
	}
}

// TryAcquire is granted the lock at once or not at all: then the error is a
// *[BusyError] that says who holds it.
func (l *Lock) TryAcquire(ctx context.Context) (*Held, error) {
	if err := l.ready(ctx); err != nil {
		return nil, err
	}
	return l.try(ctx, l.grantOpen)
}

// ready says what is wrong with the lock or the context from the start.
func (l *Lock) ready(ctx context.Context) error {
	if l.err != nil {
		return l.err
	}
	if err := ctx.Err(); err != nil {
		return l.failure(err)
	}
	return nil
}

func (l *Lock) failure(err error) error {
	return fmt.Errorf("fleetlock: %s: %w", l.path, err)
}

// swapFailure leaves alone what tells this package to try again.
func (l *Lock) swapFailure(err error) error {
	if err == nil || errors.Is(err, errChanged) || errors.Is(err, errContended) {
		return err
	}
	return l.failure(err)
}

// gaveUp is the error of a wait that ctx has ended.
func (l *Lock) gaveUp(ctx context.Context) error {
	err := ctx.Err()
	if cause := context.Cause(ctx); !errors.Is(cause, err) {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
	defer cancel()
	if info, who, inspectErr := l.inspect(look); inspectErr == nil && !info.State.open() {
		return fmt.Errorf("fleetlock: gave up waiting: %w: %w", err, &BusyError{l.path, who})
	}
	return fmt.Errorf("fleetlock: gave up waiting for %s: %w", l.path, err)
}

// lookTime is how long one who gave up waiting tries to find out for whom it waited.
const lookTime = time.Second / 2

// An attempt decides whether what a store holds may become ours, and by which record.
// If not, it returns a *BusyError or *LostError and how long that will be so at most,
// or zero if time alone does not change it.
type attempt func(store) (seen version, next record, left time.Duration, err error)

// grantOpen grants a lock that is free or expired.
func (l *Lock) grantOpen(s store) (version, record, time.Duration, error) {
	seen, err := l.guess(s)
	if err != nil {
		return seen.version, record{}, 0, l.failure(err)
	}
	return l.grantIfOpen(s, seen)
}

func (l *Lock) grantIfOpen(s store, seen snapshot) (version, record, time.Duration, error) {
	now := l.options.clock.now()
	is, err := judge(seen, s.alive, now)
	if err != nil {
		return seen.version, record{}, 0, l.failure(err)
	}
	if !is.open() {
		return seen.version, record{}, is.left, &BusyError{l.path, seen.holder(is)}
	}
	return seen.version, seen.grant(l.identity(), l.options.lease, now), 0, nil
}

func (l *Lock) identity() identity {
	return identity{label: l.options.label, host: hostname(), pid: processID}
}

var processID = os.Getpid()

var processStart = time.Now()

// sinceStart is in nanoseconds, by a clock that nobody sets.
func sinceStart() int64 { return int64(time.Since(processStart)) }

// hostname is cut to what has room in a record.
var hostname = sync.OnceValue(func() string {
	name, _ := os.Hostname() // a holder without a name still holds
	return fitHost(name)
})

// fitHost has nothing in it that takes more room in JSON.
func fitHost(name string) string {
	return strings.Map(func(c rune) rune {
		if c == utf8.RuneError || c == '"' || c == '\\' || !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, name[:min(len(name), maxHost)])
}

// try makes attempts until one is decided.
func (l *Lock) try(ctx context.Context, a attempt) (h *Held, err error) {
	err = l.insist(ctx, func(s store) error {
		h, _, err = l.attempt(s, a)
		return err
	})
	return h, err
}

// attempt makes one. If the lock may be ours but another was faster or stands in the
// way, the error is errChanged, errContended or errMoved.
func (l *Lock) attempt(s store, a attempt) (*Held, time.Duration, error) {
	seen, next, left, err := a(s)
	if err != nil {
		if errors.Is(s.verify(), errMoved) {
			l.forget(s)
			return nil, 0, errMoved
		}
		return nil, left, err
	}
	granted, err := s.swap(seen, next)
	h, err := l.receive(new(Held), s, granted, err)
	return h, 0, err
}

// receive makes h the hold of what a swap has granted, if that is the lock.
func (l *Lock) receive(h *Held, s store, granted snapshot, err error) (*Held, error) {
	if err != nil {
		l.remember(s, snapshot{})
		return nil, l.swapFailure(err)
	}
	if err := s.verify(); err != nil {
		// What was granted is not the lock any more, or may not be.
		s.abandon(granted.token)
		if !errors.Is(err, errMoved) {
			return nil, l.failure(err)
		}
		l.forget(s)
		return nil, errMoved
	}
	h.begin(l, s, granted)
	return h, nil
}

// patience is how long something that does not wait for the lock waits for the end of
// another process's swap, which takes microseconds unless that process stands still.
const patience = 10 * time.Millisecond

// insist does something to the store until the answer is not that another process was
// faster, or in the way for less than the patience.
func (l *Lock) insist(ctx context.Context, do func(store) error) error {
	waited := time.Duration(0)
	for pause := firstPause; ; pause = pause.next() {
		s, err := l.current()
		if err != nil {
			return err
		}
		switch err := do(in(ctx, s)); {
		case errors.Is(err, errChanged) || errors.Is(err, errMoved):
			pause = 0
		case !errors.Is(err, errContended):
			return err
		case waited > patience:
			return l.busy(s)
		default:
			time.Sleep(time.Duration(pause))
			waited += time.Duration(pause)
		}
	}
}

// busy is the error for a lock that another process has been changing for too long.
func (l *Lock) busy(s store) error {
	if v, ok := s.(view); ok {
		s = &inspection{view: v} // which changes nothing
	}
	seen, err := s.load()
	if err != nil {
		return l.failure(err)
	}
	return &BusyError{l.path, seen.describe()}
}

// errMoved says that the lock's name led elsewhere than to the store that was used.
var errMoved = errors.New("fleetlock: the lock file was replaced")

// current returns the store that the lock's name leads to.
func (l *Lock) current() (store, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.store != nil {
		return l.store, nil
	}
	s, err := l.open()
	if err != nil {
		return nil, l.failure(err)
	}
	l.store, l.last = s, snapshot{}
	return s, nil
}

// guess returns what the last swap left if that was a free lock, and loads the record
// otherwise. Of a free lock alone it does not matter if it is one no more: swap finds
// out.
func (l *Lock) guess(s store) (snapshot, error) {
	l.mu.Lock()
	last := l.last
	known := same(l.store, s) && last.state == stateFree && !last.damaged()
	l.mu.Unlock()
	if known {
		return last, nil
	}
	return s.load()
}

// remember keeps what a swap left.
func (l *Lock) remember(s store, left snapshot) {
	woke := int64(0)
	if left.state == stateHeld {
		woke = sinceStart() // the release was a hand-over
	}
	l.woke.Store(woke)
	l.mu.Lock()
	defer l.mu.Unlock()
	if same(l.store, s) {
		l.last = left
	}
}

// forget drops a store that the lock's name no longer leads to.
func (l *Lock) forget(s store) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if same(l.store, s) {
		l.store, l.last = nil, snapshot{}
	}
}
