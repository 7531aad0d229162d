package fleetlocktest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// A link is one machine's way to a register, which can fail.
type link struct {
	fleetlock.Register
	down atomic.Bool // nothing goes through, and nothing comes back
	mute atomic.Bool // of a swap the answer is lost, after it was made
	late atomic.Bool // of a swap the answer is lost, before it is made
}

// errLost says that a link has failed.
var errLost = errors.New("the link is down")

func (l *link) Load(ctx context.Context, name string) (fleetlock.Record, error) {
	if l.down.Load() {
		return fleetlock.Record{}, errLost
	}
	got, err := l.Register.Load(ctx, name)
	if l.down.Load() {
		return fleetlock.Record{}, errLost
	}
	return got, err
}

func (l *link) Swap(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
	if l.down.Load() {
		return 0, errLost
	}
	if l.late.Load() {
		time.AfterFunc(20*time.Millisecond, func() {
			_, _ = l.Register.Swap(context.WithoutCancel(ctx), name, seen, next)
		})
		return 0, errLost
	}
	version, err := l.Register.Swap(ctx, name, seen, next)
	if l.mute.Load() || l.down.Load() {
		return 0, errLost
	}
	return version, err
}

func (l *link) Watch(ctx context.Context, name string, changed func()) error {
	if l.down.Load() {
		return errLost
	}
	return l.Register.Watch(ctx, name, func() {
		if !l.down.Load() {
			changed()
		}
	})
}
