package fleetlocktest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

var termLaws = []law{
	{"ATermLastsItsLengthAndEnds", termEnds},
	{"ATermThatIsLeftAloneRunsOn", termRunsOn},
	{"ATermThatIsStartedAgainLasts", termRestarts},
	{"TermsEndEachByItself", termsApart},
	{"ATermThatIsNotNamedIsGone", termDropped},
}

// A sheet is a record with terms, as one client writes it over and over.
type sheet struct {
	r    fleetlock.Register
	name string
	seen uint64

	slack time.Duration
}

func (s *stage) sheet() *sheet { return &sheet{r: s.open(), name: newName(), slack: s.slack()} }

func (s *sheet) write(ctx context.Context, terms ...fleetlock.Term) (err error) {
	s.seen, err = s.r.Swap(ctx, s.name, s.seen, fleetlock.Record{Token: 1, Text: `{}`, Terms: terms})
	return err
}

// over reports whether a term is.
func (s *sheet) over(ctx context.Context, r fleetlock.Register, id string) (bool, error) {
	got, err := r.Load(ctx, s.name)
	for _, term := range got.Terms {
		if term.ID == id && term.Left > 0 {
			return false, err
		}
	}
	return true, err
}

// must returns the complaint unless a term is over, or is not, as it must be.
func (s *sheet) must(ctx context.Context, r fleetlock.Register, id string, be bool, complaint string) error {
	over, err := s.over(ctx, r, id)
	if err == nil && over != be {
		err = wrong{errors.New(complaint)}
	}
	return err
}

// ends waits for the end of a term that began at some time, and says if it comes too early
// or late.
func (s *sheet) ends(ctx context.Context, r fleetlock.Register, id string, began time.Time, length time.Duration) error {
	err := until(ctx, "the term is over", length+s.slack, func() (bool, error) { return s.over(ctx, r, id) })
	if err != nil {
		return err
	}
	if took := time.Since(began); took < length {
		return fmt.Errorf("a term of %v is over after %v", length, took)
	}
	return s.must(ctx, r, id, true, "a term that was over runs again")
}

func termEnds(ctx context.Context, s *stage) error {
	here, there := s.sheet(), s.open()
	began := time.Now()
	if err := here.write(ctx, fleetlock.Term{ID: "a", Length: s.lease}); err != nil {
		return err
	}
	if err := here.ends(ctx, there, "a", began, s.lease); err != nil {
		return err
	}
	if err := here.write(ctx, fleetlock.Term{ID: "a"}); err != nil {
		return err
	}
	return here.must(ctx, there, "a", true, "a term that is over begins again without a length")
}

func termRunsOn(ctx context.Context, s *stage) error {
	here, there := s.sheet(), s.open()
	began := time.Now()
	if err := here.write(ctx, fleetlock.Term{ID: "a", Length: s.lease}); err != nil {
		return err
	}
	for time.Since(began) < s.lease+s.slack() {
		if over, err := here.over(ctx, there, "a"); err != nil {
			return err
		} else if took := time.Since(began); over && took < s.lease {
			return fmt.Errorf("a term of %v is over after %v", s.lease, took)
		} else if over {
			return nil
		}
		if err := here.write(ctx, fleetlock.Term{ID: "a"}); err != nil {
			return err
		}
		time.Sleep(s.lease / 8)
	}
	return latef("a term of %v runs still after %v of swaps that leave it alone", s.lease, time.Since(began))
}

func termRestarts(ctx context.Context, s *stage) error {
	here, there := s.sheet(), s.open()
	var renewed time.Time
	for began := time.Now(); time.Since(began) < 4*s.lease; time.Sleep(s.lease / 8) {
		now := time.Now()
		if over, err := here.over(ctx, there, "a"); err != nil {
			return err
		} else if over && !renewed.IsZero() && time.Since(renewed) < s.lease {
			return fmt.Errorf("a term of %v is over %v after it began again", s.lease, time.Since(renewed))
		}
		if err := here.write(ctx, fleetlock.Term{ID: "a", Length: s.lease}); err != nil {
			return err
		}
		renewed = now
	}
	return here.ends(ctx, there, "a", renewed, s.lease)
}

func termsApart(ctx context.Context, s *stage) error {
	here, there := s.sheet(), s.open()
	began := time.Now()
	if err := here.write(ctx, fleetlock.Term{ID: "a", Length: s.lease}, fleetlock.Term{ID: "b", Length: s.long()}); err != nil {
		return err
	}
	if err := here.ends(ctx, there, "a", began, s.lease); err != nil {
		return err
	}
	return here.must(ctx, there, "b", false, "a long term is over with a short one")
}

func termDropped(ctx context.Context, s *stage) error {
	here, there := s.sheet(), s.open()
	if err := here.write(ctx, fleetlock.Term{ID: "a", Length: s.long()}, fleetlock.Term{ID: "b", Length: s.long()}); err != nil {
		return err
	}
	if err := here.write(ctx, fleetlock.Term{ID: "b"}); err != nil {
		return err
	}
	return errors.Join(
		here.must(ctx, there, "a", true, "a term lasts that the last record does not name"),
		here.must(ctx, there, "b", false, "a term is over beside one that was dropped"),
	)
}
