//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What the seed does with what a crash left behind, which the measurement leaves out.
func TestTheSeedBreaksWhatIsOld(t *testing.T) {
	old := time.Now().Add(-2 * seedTimes.stale)
	for _, row := range []struct {
		name  string
		leave func(lock string) error
	}{
		{"a lock by the time in it", func(lock string) error {
			return os.WriteFile(lock, []byte("4242\n1000\nsomebody\n"), 0o600)
		}},
		{"a lock without a time", func(lock string) error { return os.WriteFile(lock, nil, 0o600) }},
		{"a mutex by the time of its file", func(lock string) error { return leaveOld(lock+".mutex", old) }},
		{"a mutex whose reclaimer crashed", func(lock string) error {
			if err := leaveOld(lock+".mutex", old); err != nil {
				return err
			}
			return leaveOld(lock+".mutex.reclaim", old)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			lock := filepath.Join(t.TempDir(), "lock")
			if err := row.leave(lock); err != nil {
				t.Fatal(err)
			}
			s := mustSit(t, joinSeed(lock))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := s.lock(ctx); err != nil {
				t.Fatalf("%s stays: %v", row.name, err)
			}
			if err := s.unlock(); err != nil {
				t.Error(err)
			}
			if left, _ := filepath.Glob(lock + "*"); len(left) > 0 {
				t.Errorf("after the release %v are there", left)
			}
		})
	}
}

func leaveOld(path string, at time.Time) error {
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	return os.Chtimes(path, at, at)
}
