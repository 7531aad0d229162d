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

// hedged returns the first answer to a call that may be made more than once, or the last
// error.
func hedged[T any](ctx context.Context, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, hedges)
	made, failed := 0, 0
	again := time.NewTicker(hedgeAfter)
	defer again.Stop()
	for more := true; ; {
		if more && made < hedges {
			made++
			go func() {
				value, err := call(ctx)
				answers <- answer{value, err}
			}()
		}
		select {
		case a := <-answers:
			if a.err == nil || ctx.Err() != nil {
				return a.value, a.err
			}
			if failed++; failed == hedges {
				return a.value, a.err
			}
			more = true
		case <-again.C:
			more = true
		}
	}
}
