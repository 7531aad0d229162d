package etcdlock

import (
	"context"
	"time"
)

// A call that one member does not answer, because it hangs or is cut off, is made again
// while the first one goes on, and the client has another member answer that. It would
// take seconds until the client gives up a connection.
const (
	hedgeAfter = 50 * time.Millisecond
	hedges     = 3
)

// hedged returns the first answer to a call, which is made several times if it must be, or
// the last error. Servers are told when a call is given up, and of no deadline, which
// would cost them a timer.
func hedged[T any](ctx context.Context, call func(context.Context) (T, error)) (value T, err error) {
	if err := ctx.Err(); err != nil {
		return value, err
	}
	calling, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	defer context.AfterFunc(ctx, giveUp)()
	value, err = tried(calling, giveUp, hedges, call)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return value, err
}

// tried makes a call at most so many times, and gives all up when one has an answer. If the
// first has it soon that costs no goroutine, which would cost as much as all else here.
func tried[T any](ctx context.Context, giveUp func(), times int, call func(context.Context) (T, error)) (T, error) {
	if times == 1 {
		return call(ctx)
	}
	type answer struct {
		value T
		err   error
	}
	next := make(chan answer, 1)
	again := time.AfterFunc(hedgeAfter, func() {
		value, err := tried(ctx, giveUp, times-1, call)
		next <- answer{value, err}
		if err == nil {
			giveUp()
		}
	})
	value, err := call(ctx)
	switch alone := again.Stop(); {
	case err == nil || alone && ctx.Err() != nil:
		return value, err
	case alone:
		return tried(ctx, giveUp, times-1, call)
	}
	other := <-next
	return other.value, other.err
}
