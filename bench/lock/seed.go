//go:build unix

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The restart lock that fleetlock replaces, step by step as it was, in Go: a file that
// exists while the lock is held, changed only under a second file, the mutex, which is
// polled for, too. What is old counts as left behind by a crash.

// seedTimes are the constants of the original, the ones that it was not handed down
// with chosen: polling every 100 ms agrees with the 50 ms that a hand-over took. The
// ages are longer than any measurement, so that none of the original's ways to two
// owners at once is in them.
var seedTimes = seedConfig{
	mutexRetry: 20 * time.Millisecond,
	poll:       100 * time.Millisecond,
	stale:      time.Minute,
	maxWait:    time.Minute,
}

type seedConfig struct {
	mutexRetry time.Duration // between two attempts at the mutex
	poll       time.Duration // between two looks at the lock
	stale      time.Duration // the age from which on a lock or mutex may be broken
	maxWait    time.Duration // after which a waiter breaks the lock of a live owner
}

// A seedSeat is a caller of the restart lock. It has a new token for each acquisition.
type seedSeat struct {
	seedConfig
	path  string
	token string
}

func joinSeed(path string) func() (seat, error) {
	return func() (seat, error) { return &seedSeat{seedConfig: seedTimes, path: path}, nil }
}

func (s *seedSeat) lock(ctx context.Context) error {
	s.token = rand.Text()
	if err := os.MkdirAll(filepath.Dir(s.path), 0o777); err != nil {
		return err
	}
	deadline := time.Now().Add(s.maxWait)
	for {
		owned, err := s.take(ctx, deadline)
		if owned || err != nil {
			return err
		}
		if err := sleep(ctx, s.poll); err != nil {
			return err
		}
	}
}

// take takes the lock, under the mutex, if it is free or may be broken.
func (s *seedSeat) take(ctx context.Context, deadline time.Time) (owned bool, err error) {
	mutex, err := s.acquireMutex(ctx)
	if err != nil {
		return false, err
	}
	defer mutex.release()
	// That the lock cannot be read is a reason to break it, as in the original.
	text, err := os.ReadFile(s.path)
	now := time.Now()
	free := errors.Is(err, fs.ErrNotExist)
	if !free && err == nil && !s.isStale(string(text), now) && now.Before(deadline) {
		return false, nil
	}
	return true, os.WriteFile(s.path, s.content(), 0o666)
}

// unlock waits for the mutex however long that takes.
func (s *seedSeat) unlock() error {
	mutex, err := s.acquireMutex(context.Background())
	if err != nil {
		return err
	}
	defer mutex.release()
	if tokenIn(s.path) == s.token {
		_ = os.Remove(s.path)
	}
	return nil
}

// content is the process, the time and the token, a line each.
func (s *seedSeat) content() []byte {
	return fmt.Appendf(nil, "%d\n%d\n%s\n", os.Getpid(), time.Now().UnixMilli(), s.token)
}

func (s *seedSeat) isStale(text string, now time.Time) bool {
	stamp, err := strconv.ParseInt(line(text, 1), 10, 64)
	return err != nil || now.Sub(time.UnixMilli(stamp)) >= s.stale
}

// tokenIn returns the token in a lock or mutex, or nothing if there is none.
func tokenIn(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return line(string(text), 2)
}

func line(text string, n int) string {
	lines := strings.Split(text, "\n")
	if n >= len(lines) {
		return ""
	}
	return strings.TrimSpace(lines[n])
}
