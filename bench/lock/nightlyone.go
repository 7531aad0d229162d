//go:build unix

package main

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/nightlyone/lockfile"
)

// nightlyonePoll is how often a waiter looks. The library only tries; its documentation
// advises a short sleep.
const nightlyonePoll = time.Millisecond

// A nightlyoneSeat shares a sync.Mutex with its process, as the library's documentation
// tells: a lock file with the number of this very process is taken for stale.
type nightlyoneSeat struct {
	inside *sync.Mutex
	file   lockfile.Lockfile
}

func joinNightlyone(path string) func() (seat, error) {
	inside := new(sync.Mutex)
	return func() (seat, error) {
		file, err := lockfile.New(path)
		return nightlyoneSeat{inside, file}, err
	}
}

func (s nightlyoneSeat) lock(ctx context.Context) error {
	s.inside.Lock()
	err := s.wait(ctx)
	if err != nil {
		s.inside.Unlock()
	}
	return err
}

func (s nightlyoneSeat) wait(ctx context.Context) error {
	for {
		err := s.file.TryLock()
		if !isBusy(err) {
			return err
		}
		if err := sleep(ctx, nightlyonePoll); err != nil {
			return err
		}
	}
}

// isBusy holds for what the library says on a lock that is released while it looks, too.
func isBusy(err error) bool {
	temporary := lockfile.TemporaryError("")
	return errors.As(err, &temporary) || errors.Is(err, fs.ErrNotExist)
}

func (s nightlyoneSeat) unlock() error {
	defer s.inside.Unlock()
	return s.file.Unlock()
}

// sleep returns ctx's error if that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
