//go:build unix

package main

import (
	"errors"
	"path/filepath"
	"time"
)

// crowdSize is how many compete, be they goroutines or processes.
const crowdSize = 8

// A crowd is what those who compete for a lock get of it.
type crowd struct {
	perSecond float64
	jain      float64
	faults    int64 // times that it was seen to have two holders
}

// measureCrowd has the seats of some processes compete for a lock.
func measureCrowd(c contender, newDir func() (string, error), processes, seatsOfEach int, d time.Duration) (_ crowd, err error) {
	dir, err := newDir()
	if err != nil {
		return crowd{}, err
	}
	j := job{
		Contender: c.name, Path: filepath.Join(dir, "lock"),
		Board: filepath.Join(dir, "board"), Seats: seatsOfEach,
	}
	if err := newBoardFile(j.Board); err != nil {
		return crowd{}, err
	}
	b, closeBoard, err := openBoard(j.Board)
	if err != nil {
		return crowd{}, err
	}
	defer closeBoard()
	workers, err := startWorkers(j, processes)
	defer func() { err = errors.Join(err, stopWorkers(workers)) }()
	if err != nil {
		return crowd{}, err
	}
	shares, err := haveCompete(workers, d)
	return newCrowd(shares, d, b), err
}

// haveCompete has all workers compete at once, and returns what each of their seats got.
func haveCompete(workers []*worker, d time.Duration) (shares []int64, err error) {
	for _, w := range workers {
		if err := w.tell(order{Verb: verbCompete, For: d}); err != nil {
			return nil, err
		}
	}
	for _, w := range workers {
		done, err := w.hear()
		if err != nil {
			return nil, err
		}
		shares = append(shares, done.Shares...)
	}
	return shares, nil
}

func newCrowd(shares []int64, d time.Duration, b *board) crowd {
	var sum int64
	for _, s := range shares {
		sum += s
	}
	return crowd{perSecond: float64(sum) / d.Seconds(), jain: jain(shares), faults: b.faults(sum)}
}
