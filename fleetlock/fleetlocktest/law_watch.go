package fleetlocktest

import (
	"context"
	"fmt"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

var watchLaws = []law{
	{"AWatchSaysThatItBegins", watchBegins},
	{"AWatchTellsOfChangesByOthers", watchTells},
	{"AWatchEndsWithItsContext", watchEnds},
}

// told is where a watch rings.
type told chan struct{}

func watch(ctx context.Context, r fleetlock.Register, name string) (told, chan error) {
	rung, ended := make(told, 1), make(chan error, 1)
	go func() {
		ended <- r.Watch(ctx, name, func() {
			select {
			case rung <- struct{}{}:
			default:
			}
		})
	}()
	return rung, ended
}

func (c told) await(ctx context.Context, what string, limit time.Duration) error {
	select {
	case <-c:
		return nil
	case <-time.After(limit):
		return latef("%v after %s a watch has not told of it", limit, what)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func watchBegins(ctx context.Context, s *stage) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rung, _ := watch(ctx, s.open(), newName())
	return rung.await(ctx, "its beginning", s.slack())
}

func watchTells(ctx context.Context, s *stage) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	here, there, name := s.open(), s.open(), newName()
	rung, _ := watch(ctx, here, name)
	if err := rung.await(ctx, "its beginning", s.slack()); err != nil {
		return err
	}
	seen := uint64(0)
	for round := range 3 {
		// A watch that looks now and then may ring of itself.
		for drained := false; !drained; {
			select {
			case <-rung:
			case <-time.After(50 * time.Millisecond):
				drained = true
			}
		}
		var err error
		if seen, err = there.Swap(ctx, name, seen, fleetlock.Record{Token: 1, Text: `{}`}); err != nil {
			return err
		}
		if err := rung.await(ctx, fmt.Sprintf("change %d", round), s.slack()); err != nil {
			return err
		}
	}
	return nil
}

func watchEnds(ctx context.Context, s *stage) error {
	watching, cancel := context.WithCancel(ctx)
	rung, ended := watch(watching, s.open(), newName())
	if err := rung.await(ctx, "its beginning", s.slack()); err != nil {
		cancel()
		return err
	}
	cancel()
	select {
	case err := <-ended:
		return expectError("a watch whose context has ended", err, context.Canceled)
	case <-time.After(s.slack()):
		return latef("%v after the end of its context a watch goes on", s.slack())
	}
}
