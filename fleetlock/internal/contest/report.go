//go:build unix

package contest

import (
	"fmt"
	"slices"
	"time"
)

// A Report is what a contest has shown.
type Report struct {
	Grants, Losses, Failures int
	// Wait is the longest time between the end of a hold, or what was done to a holder,
	// and the next grant.
	Wait time.Duration
	// Late is by how much somebody whom nothing was done to was told of a loss after the
	// next grant. A holder that stands still is told late, and on a busy machine it does.
	Late time.Duration
	// Wrongs are what must not be.
	Wrongs []string
}

func (r Report) String() string {
	return fmt.Sprintf("%d grants, %d losses told, %d failed attempts, longest wait %v, told late by %v",
		r.Grants, r.Losses, r.Failures, r.Wait.Round(time.Millisecond), r.Late.Round(time.Millisecond))
}

// standstill is for how long a busy machine at most does not let a process run.
const standstill = 10 * time.Second

// A tenure is the time of one token.
type tenure struct {
	token   uint64
	by      *contender
	granted time.Time
	claimed time.Time // for the last time
	told    time.Time // of the loss, or zero
	end     time.Time // when it left, was told or was hurt
	hurt    bool
}

func judge(events []event, hurts []hurt) (r Report) {
	tenures := tenuresOf(events, hurts)
	for _, e := range events {
		if e.what == failed {
			r.Failures++
		}
	}
	wrong := func(format string, args ...any) { r.Wrongs = append(r.Wrongs, fmt.Sprintf(format, args...)) }
	slices.SortFunc(tenures, func(a, b *tenure) int { return a.granted.Compare(b.granted) })
	for i, t := range tenures {
		r.Grants++
		if !t.told.IsZero() {
			r.Losses++
		}
		if i == 0 {
			continue
		}
		before := tenures[i-1]
		if t.token <= before.token {
			wrong("token %d was granted after %d", t.token, before.token)
		}
		if t.granted.Before(before.claimed) {
			wrong("token %d claims the lock %v after %d was granted", before.token, before.claimed.Sub(t.granted), t.token)
		}
		if late := before.end.Sub(t.granted); !before.hurt && late > 0 {
			r.Late = max(r.Late, late)
			if late > standstill {
				wrong("token %d was told or left %v after %d was granted", before.token, late, t.token)
			}
		}
		r.Wait = max(r.Wait, t.granted.Sub(before.end))
	}
	return r
}

// tenuresOf puts together what was said of each token.
func tenuresOf(events []event, hurts []hurt) []*tenure {
	byToken := make(map[uint64]*tenure)
	var tenures []*tenure
	for _, e := range events {
		if e.what == granted {
			t := &tenure{token: e.token, by: e.by, granted: e.at, claimed: e.at, end: e.at}
			byToken[e.token] = t
			tenures = append(tenures, t) // also of a token that was granted twice
		}
	}
	for _, e := range events {
		t, ok := byToken[e.token]
		switch {
		case !ok:
		case e.what == claimed && e.at.After(t.claimed):
			t.claimed = e.at
			t.end = latest(t.end, e.at)
		case e.what == toldLoss:
			t.told, t.end = e.at, latest(t.end, e.at)
		case e.what == leaving && t.told.IsZero():
			t.end = latest(t.end, e.at)
		}
	}
	for _, h := range hurts {
		var of *tenure // which the contender had then
		for _, t := range tenures {
			if t.by == h.who && !t.granted.After(h.at) && (of == nil || t.granted.After(of.granted)) {
				of = t
			}
		}
		if of != nil {
			of.hurt = true
			if h.at.Before(of.end) {
				of.end = h.at
			}
		}
	}
	return tenures
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
