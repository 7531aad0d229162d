//go:build unix

package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"
)

// Two goroutines of one process, each with a seat of its own, as in the measurement.
func TestEveryContenderExcludes(t *testing.T) {
	for _, c := range contenders {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			join := c.join(filepath.Join(t.TempDir(), "lock"))
			d := &desk{board: new(board), seats: []seat{mustSit(t, join), mustSit(t, join)}}
			var sum int64
			for round := 0; sum == 0 && round < 100; round++ { // one, unless the machine is very slow
				shares, err := d.compete(400 * time.Millisecond)
				if err != nil {
					t.Fatalf("%s does not let two compete: %v", c.name, err)
				}
				sum += shares[0] + shares[1]
			}
			if sum == 0 || d.board.faults(sum) != 0 {
				t.Errorf("%s was acquired %d times, and had two holders %d times", c.name, sum, d.board.faults(sum))
			}
		})
	}
}

func TestEveryContenderHasTheSecondWaitForTheFirst(t *testing.T) {
	for _, c := range contenders {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			join := c.join(filepath.Join(t.TempDir(), "lock"))
			first, second := mustSit(t, join), mustSit(t, join)
			if err := first.lock(context.Background()); err != nil {
				t.Fatalf("%s is not granted while it is free: %v", c.name, err)
			}
			got := make(chan error, 1)
			go func() { got <- second.lock(context.Background()) }()
			select {
			case err := <-got:
				t.Fatalf("%s is granted while it is held: %v", c.name, err)
			case <-time.After(50 * time.Millisecond):
			}
			if err := first.unlock(); err != nil {
				t.Fatalf("%s is not released: %v", c.name, err)
			}
			if err := <-got; err != nil {
				t.Fatalf("%s is not granted after the release: %v", c.name, err)
			}
			if err := second.unlock(); err != nil {
				t.Errorf("%s is not released by the second: %v", c.name, err)
			}
		})
	}
}

func mustSit(t *testing.T, join func() (seat, error)) seat {
	t.Helper()
	s, err := join()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheBoardSeesTwoHoldersAndLostAdditions(t *testing.T) {
	b := new(board)
	b.visit(1)
	if got := b.faults(1); got != 0 {
		t.Errorf("one holder alone is %d faults", got)
	}
	b.inside.Store(2) // and another one is inside
	b.visit(1)
	if got := b.faults(2); got != 1 {
		t.Errorf("two holders at once are %d faults and not 1", got)
	}
	if got := b.faults(5); got != 3 {
		t.Errorf("3 lost additions of 5 are %d faults", got)
	}
}
