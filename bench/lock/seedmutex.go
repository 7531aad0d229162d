//go:build unix

package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

// A seedMutex is the file that guards the seed's lock, while this caller's.
type seedMutex struct{ path, token string }

func (s *seedSeat) acquireMutex(ctx context.Context) (seedMutex, error) {
	m := seedMutex{s.path + ".mutex", s.token}
	for {
		f, err := createNew(m.path)
		switch {
		case err == nil:
			return m, s.sign(f)
		case !errors.Is(err, fs.ErrExist):
			return m, err
		case s.isOld(m.path):
			if err := s.reclaim(m.path); err != nil {
				return m, err
			}
		default:
			if err := sleep(ctx, s.mutexRetry); err != nil {
				return m, err
			}
		}
	}
}

func createNew(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

// sign writes the token into the mutex that was just created.
func (s *seedSeat) sign(f *os.File) error {
	_, err := f.Write(s.content())
	if err := errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	return nil
}

func (m seedMutex) release() {
	if tokenIn(m.path) == m.token {
		_ = os.Remove(m.path)
	}
}

// reclaim removes a mutex that is old, under a third file, which is removed if it is old
// itself.
func (s *seedSeat) reclaim(mutex string) error {
	path := mutex + ".reclaim"
	f, err := createNew(path)
	if errors.Is(err, fs.ErrExist) {
		if s.isOld(path) {
			_ = os.Remove(path)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if s.isOld(mutex) {
		_ = os.Remove(mutex)
	}
	err = f.Close()
	_ = os.Remove(path)
	return err
}

// isOld goes by the time of the file's last change. What cannot be looked at is not old.
func (s *seedSeat) isOld(path string) bool {
	info, err := os.Stat(path)
	return err == nil && time.Since(info.ModTime()) >= s.stale
}
