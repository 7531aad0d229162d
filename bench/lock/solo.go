//go:build unix

package main

import (
	"path/filepath"
	"time"
)

// A solo is one worker for each contender, none of which meets another. They take turns
// so short that what disturbs one disturbs the next one, too.
type solo []*worker

func startSolo(dir func() (string, error)) (s solo, err error) {
	for _, c := range contenders {
		d, err := dir()
		if err != nil {
			return s, err
		}
		w, err := startWorker(job{Contender: c.name, Path: filepath.Join(d, "lock"), Seats: 1})
		if err != nil {
			return s, err
		}
		s = append(s, w)
		if _, err := w.do(order{Verb: verbSolo, For: 1}); err != nil { // opens files
			return s, err
		}
	}
	return s, nil
}

// measure returns what an acquisition and release of contender i costs, in nanoseconds.
func (s solo) measure(i int, d time.Duration) (float64, error) {
	r, err := s[i].do(order{Verb: verbSolo, For: d})
	return float64(r.Each), err
}

func (s solo) stop() error { return stopWorkers(s) }
