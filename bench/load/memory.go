package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

// watchers is how many connections read while memory is watched.
const watchers = 16

// A watch is what the gateway held while pages were read from it, without a pause.
type watch struct {
	long          time.Duration
	pages         int
	samples       []sample // behind the first fifth of the time, at equal distances
	before, after sample   // without a connection
}

// samplesTaken is how many samples a watch has, if the machine keeps up.
const samplesTaken = 120

// watchMemory reads pages for a time, and at least so many of them, and has the gateway
// say what it holds. The connections end with it, and what the gateway holds then is
// looked at once more.
func watchMemory(ctx context.Context, gateway *process, long time.Duration, least int) (*watch, error) {
	config, err := gateway.clientTLS()
	if err != nil {
		return nil, err
	}
	w := &watch{long: long}
	if w.before, err = gateway.settled(ctx); err != nil {
		return nil, err
	}
	all, err := newCrowd(ctx, watchers, gateway.Addresses[inTable], config)
	defer all.close()
	if err != nil {
		return nil, err
	}
	over, sampled := make(chan struct{}), make(chan error, 1)
	go func() { sampled <- w.sample(gateway, long/samplesTaken, over) }()
	times, err := all.read(ctx, long, least)
	close(over)
	if err = errors.Join(err, <-sampled); err != nil {
		return nil, err
	}
	w.pages = len(times)
	all.close()
	w.after, err = gateway.settled(ctx)
	return w, err
}

// sample takes samples until it is over. The first fifth of them does not count: pools and
// caches fill up.
func (w *watch) sample(gateway *process, distance time.Duration, over <-chan struct{}) error {
	ticks := time.NewTicker(distance)
	defer ticks.Stop()
	for {
		s, err := gateway.sample()
		if err != nil {
			return err
		}
		select {
		case <-over: // while that sample was taken, perhaps
			if len(w.samples) > 2 { // of which there are thirds
				w.samples = w.samples[len(w.samples)/5:]
				return nil
			}
		case <-ticks.C:
		}
		w.samples = append(w.samples, s)
	}
}

// settled waits for the goroutines of connections that have ended: until there have been
// equally many for half a second, and for ten seconds at most.
func (p *process) settled(ctx context.Context) (last sample, err error) {
	same := 0
	for range 100 {
		s, err := p.sample()
		if err != nil {
			return s, err
		}
		if same++; s.Goroutines != last.Goroutines {
			same = 0
		}
		if last = s; same == 5 {
			break
		}
		select {
		case <-ctx.Done():
			return last, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return last, nil
}

// thirds are the medians of the first third of the samples and of the last one.
func (w *watch) thirds(of func(sample) float64) (first, last float64) {
	values := make([]float64, len(w.samples))
	for i, s := range w.samples {
		values[i] = of(s)
	}
	third := len(values) / 3
	return figures.Median(values[:third]), figures.Median(values[len(values)-third:])
}

// What a quantity may grow by, as a share of it and beside that, before it is taken for
// a trend.
var quantities = []struct {
	name  string
	of    func(sample) float64
	share float64
	more  float64
	unit  float64
	in    string
}{
	{"live heap", func(s sample) float64 { return s.Heap }, 0.05, 1 << 20, 1 << 20, " MB"},
	{"resident memory", func(s sample) float64 { return s.Resident }, 0.10, 8 << 20, 1 << 20, " MB"},
	{"goroutines", func(s sample) float64 { return s.Goroutines }, 0, watchers, 1, ""}, // those of requests come and go
}

// flat is an error that says what grows, if anything does.
func (w *watch) flat() error {
	var all []error
	for _, q := range quantities {
		first, last := w.thirds(q.of)
		if most := first*(1+q.share) + q.more; last > most {
			all = append(all, fmt.Errorf("over %v and %d pages the %s grew from %.1f%s to %.1f%s",
				w.long, w.pages, q.name, first/q.unit, q.in, last/q.unit, q.in))
		}
	}
	if w.after.Goroutines > w.before.Goroutines {
		all = append(all, fmt.Errorf("of %.0f goroutines before the first connection there are %.0f behind the last one",
			w.before.Goroutines, w.after.Goroutines))
	}
	return errors.Join(all...)
}
