package fleetlock

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A Held is a lock that was granted. It stays held until Release, Detach, the death of
// the process or a loss: the garbage collector releases nothing. It may be used by
// many goroutines.
type Held struct {
	lock  *Lock
	store store
	token uint64
	lease time.Duration

	turn  sync.Mutex // of those who change the record
	mine  record     // the record, as long as it is this holder's; guarded by turn
	seen  version    // of it; guarded by turn
	heard *listener  // by which it was told that the lock was free, if it was; guarded by turn

	mu       sync.Mutex
	ended    error           // ErrReleased or a *LostError
	leaving  bool            // Release or Detach is on its way
	deadline instant         // of the lease, if there is one
	ctx      context.Context // nil until someone asks for it
	cancel   context.CancelCauseFunc
	watched  bool // whether loss is told of at once

	renewal, expiry func() bool // call off what is scheduled, if anything is; guarded by mu

	listed       bool // among all holders; guarded by held, as are its neighbours
	before, next *Held
}

// held keeps every holder reachable: what the program drops it still holds. It is the
// first one of a list.
var held struct {
	sync.Mutex
	*Held
}

func (h *Held) keepReachable() {
	held.Lock()
	defer held.Unlock()
	h.listed, h.next = true, held.Held
	if h.next != nil {
		h.next.before = h
	}
	held.Held = h
}

func (h *Held) dropReachable() {
	held.Lock()
	defer held.Unlock()
	if !h.listed {
		return
	}
	if h.before != nil {
		h.before.next = h.next
	} else {
		held.Held = h.next
	}
	if h.next != nil {
		h.next.before = h.before
	}
	h.listed, h.before, h.next = false, nil, nil
}

func (h *Held) begin(l *Lock, s store, granted snapshot) {
	h.lock, h.store, h.token, h.lease = l, own(granted, s), granted.token, granted.lease
	h.seen, h.mine = granted.version, granted.record
	h.keepReachable()
	if h.lease > 0 {
		h.deadline = h.mine.ownDeadline()
		h.schedule(&h.renewal, h.lease/4, h.renew)
		h.schedule(&h.expiry, max(h.left(), time.Millisecond), h.expire)
	}
}

// Token returns the fencing token of the grant. It is higher than that of every
// earlier grant of this lock: a resource that remembers the highest token it was shown
// and refuses lower ones is safe from a holder that lost the lock and does not know.
func (h *Held) Token() uint64 { return h.token }

// Err returns nil while the lock is this holder's. It looks at the clock and at the
// record itself, so it is right even when the process stood still until now. After
// that the error is a *[LostError], or [ErrReleased] if the holder released the lock.
// An error of any other kind says that this could not be found out.
func (h *Held) Err() error {
	if err := h.over(); err != nil {
		return err
	}
	if h.lapsed() {
		return h.lose("its lease ran out", nil)
	}
	if err := h.store.verify(); errors.Is(err, errMoved) {
		return h.lose("its file was moved or replaced", nil)
	} else if err != nil {
		return h.lock.failure(err)
	}
	seen, err := h.store.load()
	if err != nil {
		return h.lock.failure(err)
	}
	owns, err := h.owns(seen)
	switch {
	case err != nil:
		return h.lock.failure(err)
	case !owns && h.isLeaving():
		return ErrReleased
	case !owns:
		return h.lose(seen.lossOf(h.token), nil)
	}
	if h.lapsed() { // while the record was on its way
		return h.lose("its lease ran out", nil)
	}
	return h.over()
}

// leave says whether a record that is no longer the holder's is its own doing, and
// returns why the lock is no longer held, or nil.
func (h *Held) leave(leaving bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leaving = leaving
	return h.ended
}

func (h *Held) isLeaving() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.leaving
}

// owns reports whether a record leaves the lock with this holder. If a later record was
// lost to damage, that is so unless the later one's holder lives.
func (h *Held) owns(s snapshot) (bool, error) {
	if s.damaged() && s.floor == h.token { // the lost record was this one
		return true, nil
	}
	if s.state != stateHeld || s.token != h.token {
		return false, nil
	}
	if s.damaged() {
		other, err := h.store.alive(s.floor)
		return !other, err
	}
	return true, nil
}

// over returns why the lock is no longer held, or nil.
func (h *Held) over() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ended
}

// lapsed reports whether the holder's own deadline has passed.
func (h *Held) lapsed() bool {
	if h.lease == 0 {
		return false
	}
	return h.left() <= 0
}

// left is the time to the holder's own deadline.
func (h *Held) left() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	left, _ := h.deadline.sub(h.lock.options.clock.now())
	return left
}

// lose ends the hold, unless it has ended already, and returns why it ended.
func (h *Held) lose(reason string, err error) error {
	return h.end(&LostError{Path: h.lock.path, Token: h.token, Reason: reason, Err: err})
}

func (h *Held) end(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended == nil {
		h.ended = err
		if h.cancel != nil {
			h.cancel(err)
		}
		for _, callOff := range []func() bool{h.renewal, h.expiry} {
			if callOff != nil {
				callOff()
			}
		}
	}
	return h.ended
}

// Context returns a context that ends when the lock is lost, with a *[LostError] as
// its cause, or released, with [ErrReleased]. It is the same at every call. With a
// lease it ends before anyone else may be granted the lock; otherwise as soon as the
// process is told.
func (h *Held) Context() context.Context {
	ctx := h.endContext()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.watched {
		h.watched = true
		go h.watch(ctx)
	}
	return ctx
}

// endContext returns the context that ends with the hold.
func (h *Held) endContext() context.Context {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx == nil {
		h.ctx, h.cancel = context.WithCancelCause(context.Background())
		if h.ended != nil {
			h.cancel(h.ended)
		}
	}
	return h.ctx
}

// watch looks whether the lock is lost whenever something may have happened to it.
func (h *Held) watch(ctx context.Context) {
	heard, err := h.store.listen()
	if err != nil {
		// A holder that cannot be told of a loss is told now.
		h.lose("changes of it cannot be watched", err)
		return
	}
	defer heard.stop()
	for pause := firstPause; ctx.Err() == nil; pause = pause.next() {
		again := longest
		if h.Err() != nil { // if it is not over, that could not be found out
			again = pause
		}
		_ = heard.sleep(ctx, h.lock.options.clock, time.Duration(again))
		if heard.told {
			pause, heard.told = 0, false
		}
	}
}

// Release gives the lock back. Later calls return what the first one did. The error
// is a *[LostError] if the lock was not this holder's any more; whatever it is, the
// lock is not held from then on.
func (h *Held) Release() error {
	h.turn.Lock()
	defer h.turn.Unlock()
	if err := h.leave(true); err != nil {
		h.letGo()
		return lossIn(err)
	}
	var err error
	if h.lapsed() {
		// Nothing is written: the record may be another's, and not look so.
		_ = h.lose("its lease ran out", nil)
	} else {
		err = h.swapFree()
		if errors.Is(h.store.verify(), errMoved) { // asked after others could be told
			_ = h.lose("its file was moved or replaced", nil)
		}
	}
	// If the record could not be written, a dead holder's record is as good.
	free := h.letGo()
	if ended := h.end(ErrReleased); err == nil || free {
		return lossIn(ended)
	}
	return h.lock.failure(err)
}

// swapFree makes the lock free for others. The caller has the turn.
func (h *Held) swapFree() error {
	if h.heard != nil {
		h.heard.unpark()
	}
	left, err := h.swap(h.store, h.mine.release())
	if err == nil {
		h.lock.remember(h.store, left)
	} else if lost := new(LostError); errors.As(err, &lost) {
		_ = h.end(lost)
	}
	return err
}

// lossIn is err if it tells of a loss.
func lossIn(err error) error {
	if errors.Is(err, ErrLost) {
		return err
	}
	return nil
}

// letGo ends all that makes this process a holder, and reports whether that frees the
// lock for others, too. The caller has the turn.
func (h *Held) letGo() bool {
	h.dropReachable()
	free := h.store.abandon(h.token)
	if h.heard != nil {
		h.heard.stop()
		h.heard = nil
	}
	return free
}

// swap puts next in the place of the holder's record, and returns what the store then
// holds. The caller has the turn.
func (h *Held) swap(s store, next record) (snapshot, error) {
	waited := time.Duration(0)
	for pause := firstPause; ; pause = pause.next() {
		seen, err := s.swap(h.seen, h.seen.carry(next))
		switch {
		case err == nil:
			h.seen = seen.version
			return seen, nil
		case errors.Is(err, errChanged):
			owns, ownErr := h.owns(seen)
			if ownErr != nil {
				return seen, ownErr
			}
			if !owns {
				return seen, &LostError{Path: h.lock.path, Token: h.token, Reason: seen.lossOf(h.token)}
			}
			h.seen = seen.version
		case !errors.Is(err, errContended) || waited > patience:
			return seen, err
		default:
			time.Sleep(time.Duration(pause))
			waited += time.Duration(pause)
		}
	}
}
