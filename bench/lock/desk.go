//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// A desk is where a worker works.
type desk struct {
	seats []seat
	board *board
}

func newDesk(j job) (*desk, error) {
	c, ok := contenderNamed(j.Contender)
	if !ok {
		return nil, fmt.Errorf("no contender is named %q", j.Contender)
	}
	d := &desk{board: new(board)}
	if j.Board != "" {
		b, _, err := openBoard(j.Board)
		if err != nil {
			return nil, err
		}
		d.board = b
	}
	join := c.join(j.Path)
	for range j.Seats {
		s, err := join()
		if err != nil {
			return nil, err
		}
		d.seats = append(d.seats, s)
	}
	return d, nil
}

func (d *desk) obey(o order, out *json.Encoder) (report, error) {
	switch o.Verb {
	case verbTake:
		if err := out.Encode(report{Verb: verbTaking}); err != nil {
			return report{}, err
		}
		err := d.seats[0].lock(context.Background())
		return report{At: now()}, err
	case verbGive:
		at := now()
		err := d.seats[0].unlock()
		time.Sleep(time.Millisecond) // what the report wakes shall not be in the next holder's way
		return report{At: at}, err
	case verbSolo:
		each, err := repeat(d.seats[0], o.For)
		return report{Each: each}, err
	case verbCompete:
		shares, err := d.compete(o.For)
		return report{Shares: shares}, err
	}
	return report{}, fmt.Errorf("no verb %q", o.Verb)
}

// repeat acquires and releases until the time is over, which is looked at every few
// times only, and returns how many nanoseconds each took on average.
func repeat(s seat, d time.Duration) (each int64, err error) {
	const between = 8
	began, n := time.Now(), int64(0)
	for n == 0 || time.Since(began) < d {
		for range between {
			if err := once(s); err != nil {
				return 0, err
			}
		}
		n += between
	}
	return time.Since(began).Nanoseconds() / n, nil
}

func once(s seat) error {
	if err := s.lock(context.Background()); err != nil {
		return fmt.Errorf("acquire: %w", err)
	}
	if err := s.unlock(); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	return nil
}

// compete has all seats compete.
func (d *desk) compete(t time.Duration) ([]int64, error) {
	var all sync.WaitGroup
	shares, errs := make([]int64, len(d.seats)), make([]error, len(d.seats))
	for i, s := range d.seats {
		who := int64(os.Getpid())<<16 + int64(i)
		all.Go(func() { shares[i], errs[i] = compete(s, d.board, who, t) })
	}
	all.Wait()
	return shares, errors.Join(errs...)
}

// compete acquires and releases for a time, and returns how often it did.
func compete(s seat, b *board, who int64, d time.Duration) (share int64, err error) {
	end := time.Now().Add(d)
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	for time.Now().Before(end) {
		if err := s.lock(ctx); errors.Is(err, context.DeadlineExceeded) {
			return share, nil
		} else if err != nil {
			return share, fmt.Errorf("acquire: %w", err)
		}
		b.visit(who)
		if err := s.unlock(); err != nil {
			return share, fmt.Errorf("release: %w", err)
		}
		share++
	}
	return share, nil
}
