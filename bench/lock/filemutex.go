//go:build unix

package main

import (
	"context"

	filemutex "github.com/alexflint/go-filemutex"
)

// A filemutexSeat has a FileMutex of its own: one that is locked grants itself to
// whoever asks again.
type filemutexSeat struct{ *filemutex.FileMutex }

func joinFilemutex(path string) func() (seat, error) {
	return func() (seat, error) {
		m, err := filemutex.New(path)
		return filemutexSeat{m}, err
	}
}

func (s filemutexSeat) lock(context.Context) error { return s.Lock() }

func (s filemutexSeat) unlock() error { return s.Unlock() }
