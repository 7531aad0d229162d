//go:build unix

package main

import (
	"math/rand/v2"
	"path/filepath"
	"time"
)

// settle is how long a waiter has been waiting, at least, before the lock is given up:
// long enough that its processor has gone to sleep, too, as it has when a holder works for
// a while.
const settle = 15 * time.Millisecond

// A pair is two processes with one lock.
type pair struct {
	contender      contender
	job            job
	holder, waiter *worker
}

// A succession is a pair for each contender. They take turns so short that what
// disturbs one disturbs the next one, too.
type succession []*pair

func startSuccession(dir func() (string, error)) (s succession, err error) {
	for _, c := range contenders {
		d, err := dir()
		if err != nil {
			return s, err
		}
		p := &pair{contender: c, job: job{Contender: c.name, Path: filepath.Join(d, "lock"), Seats: 1}}
		s = append(s, p)
		if p.waiter, err = startWorker(p.job); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s succession) stop() error {
	var workers []*worker
	for _, p := range s {
		for _, w := range []*worker{p.holder, p.waiter} {
			if w != nil {
				workers = append(workers, w)
			}
		}
	}
	return stopWorkers(workers)
}

// asOften does something once, and again until the time is over.
func asOften(d time.Duration, wait func() (float64, error)) (waits []float64, err error) {
	for began := time.Now(); len(waits) == 0 || time.Since(began) < d; {
		ns, err := wait()
		if err != nil {
			return waits, err
		}
		waits = append(waits, ns)
	}
	return waits, nil
}

// handover returns how long the waiter had to wait from the release on, in nanoseconds.
func (p *pair) handover() (ns float64, err error) {
	if p.holder == nil {
		if p.holder, err = startWorker(p.job); err != nil {
			return 0, err
		}
	}
	if err := p.setUp(); err != nil {
		return 0, err
	}
	gave, err := p.holder.do(order{Verb: verbGive})
	if err != nil {
		return 0, err
	}
	return p.succeed(gave.At)
}

// kill is handover by SIGKILL instead of a release. Each takes a new holder.
func (p *pair) kill() (ns float64, err error) {
	if p.holder, err = startWorker(p.job); err != nil {
		return 0, err
	}
	defer func() {
		p.holder.kill()
		p.holder.bury()
		p.holder = nil
	}()
	if err := p.setUp(); err != nil {
		return 0, err
	}
	at := now()
	p.holder.kill()
	return p.succeed(at)
}

// setUp has the holder hold the lock, and the waiter sleep: for one that polls, until
// any moment between two looks.
func (p *pair) setUp() error {
	if _, err := p.holder.do(order{Verb: verbTake}); err != nil {
		return err
	}
	if err := p.waiter.tell(order{Verb: verbTake}); err != nil {
		return err
	}
	if _, err := p.waiter.hear(); err != nil { // that it is taking
		return err
	}
	time.Sleep(settle + rand.N(max(p.contender.poll, settle)))
	return nil
}

// succeed returns how long after a moment the waiter had the lock, and takes it away.
func (p *pair) succeed(from int64) (ns float64, err error) {
	took, err := p.waiter.hear()
	if err != nil {
		return 0, err
	}
	_, err = p.waiter.do(order{Verb: verbGive})
	return float64(took.At - from), err
}
