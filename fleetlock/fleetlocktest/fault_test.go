package fleetlocktest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// A fault is a register in memory with something wrong, and the law that must say so.
type fault struct {
	name string
	law  string
	with func(*faulty)
}

// faulty is a register whose calls pass through what a fault plants.
type faulty struct {
	*Memory
	load  func(ctx context.Context, name string) (fleetlock.Record, error)
	swap  func(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error)
	watch func(ctx context.Context, name string, changed func()) error
}

func (f *faulty) Load(ctx context.Context, name string) (fleetlock.Record, error) {
	return f.load(ctx, name)
}

func (f *faulty) Swap(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
	return f.swap(ctx, name, seen, next)
}

func (f *faulty) Watch(ctx context.Context, name string, changed func()) error {
	return f.watch(ctx, name, changed)
}

func newFaulty(with func(*faulty)) *faulty {
	m := new(Memory)
	f := &faulty{Memory: m, load: m.Load, swap: m.Swap, watch: m.Watch}
	with(f)
	return f
}

// scaled has terms of another length.
func scaled(factor float64) func(*faulty) {
	return func(f *faulty) {
		f.swap = func(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
			terms := make([]fleetlock.Term, len(next.Terms))
			for i, term := range next.Terms {
				term.Length = time.Duration(float64(term.Length) * factor)
				terms[i] = term
			}
			next.Terms = terms
			return f.Memory.Swap(ctx, name, seen, next)
		}
	}
}

// startedOnce has terms that end their length after their first start.
func startedOnce(f *faulty) {
	var mu sync.Mutex
	begun := make(map[string]bool)
	f.swap = func(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
		mu.Lock()
		defer mu.Unlock()
		terms := make([]fleetlock.Term, len(next.Terms))
		for i, term := range next.Terms {
			if begun[name+term.ID] {
				term.Length = 0
			}
			begun[name+term.ID] = true
			terms[i] = term
		}
		next.Terms = terms
		return f.Memory.Swap(ctx, name, seen, next)
	}
}

var faults = []fault{
	{"tokens start again after a release", "ATokenIsKeptOverReleases", func(f *faulty) {
		f.load = func(ctx context.Context, name string) (fleetlock.Record, error) {
			got, err := f.Memory.Load(ctx, name)
			if len(got.Terms) == 0 && got.Version > 0 {
				got.Token, got.Text = 1, `{"fleetlock":1,"token":1}`
			}
			return got, err
		}
	}},
	{"a swap compares first and writes then", "OfSwapsAtOnceOneIsMade", func(f *faulty) {
		f.swap = func(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
			now, err := f.Memory.Load(ctx, name)
			if err != nil {
				return 0, err
			}
			if now.Version != seen {
				return 0, fleetlock.ErrChanged
			}
			time.Sleep(time.Millisecond)
			now, err = f.Memory.Load(ctx, name)
			if err != nil {
				return 0, err
			}
			return f.Memory.Swap(ctx, name, now.Version, next)
		}
	}},
	{"a swap of another version says that it was made", "ASwapOfAnotherVersionChangesNothing", func(f *faulty) {
		f.swap = func(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
			version, err := f.Memory.Swap(ctx, name, seen, next)
			if err == fleetlock.ErrChanged {
				return seen + 1, nil
			}
			return version, err
		}
	}},
	{"versions come again", "AVersionIsNeverUsedTwice", func(f *faulty) {
		f.load = func(ctx context.Context, name string) (fleetlock.Record, error) {
			got, err := f.Memory.Load(ctx, name)
			if got.Version > 0 {
				got.Version = 1 + (got.Version-1)%5
			}
			return got, err
		}
		f.swap = func(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
			now, err := f.Memory.Load(ctx, name)
			if err != nil {
				return 0, err
			}
			if now.Version > 0 && 1+(now.Version-1)%5 != seen {
				return 0, fleetlock.ErrChanged
			}
			version, err := f.Memory.Swap(ctx, name, now.Version, next)
			return 1 + (version-1)%5, err
		}
	}},
	{"a load may be old", "ARecordIsKeptToTheByte", func(f *faulty) {
		var mu sync.Mutex
		cache := make(map[string]fleetlock.Record)
		f.load = func(ctx context.Context, name string) (fleetlock.Record, error) {
			mu.Lock()
			defer mu.Unlock()
			if old, ok := cache[name]; ok {
				return old, nil
			}
			got, err := f.Memory.Load(ctx, name)
			cache[name] = got
			time.AfterFunc(100*time.Millisecond, func() {
				mu.Lock()
				defer mu.Unlock()
				delete(cache, name)
			})
			return got, err
		}
	}},
	{"the text is normalized", "ARecordIsKeptToTheByte", func(f *faulty) {
		f.swap = func(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
			next.Text = strings.ReplaceAll(next.Text, " ", "")
			return f.Memory.Swap(ctx, name, seen, next)
		}
	}},
	{"names are folded", "NamesAreApart", func(f *faulty) {
		f.load = func(ctx context.Context, name string) (fleetlock.Record, error) {
			return f.Memory.Load(ctx, strings.ToLower(name))
		}
		f.swap = func(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
			return f.Memory.Swap(ctx, strings.ToLower(name), seen, next)
		}
	}},
	{"a call goes on after its context", "ACallAfterTheEndOfItsContextDoesNothing", func(f *faulty) {
		f.swap = func(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
			return f.Memory.Swap(context.WithoutCancel(ctx), name, seen, next)
		}
	}},
	{"a term ends early", "ATermLastsItsLengthAndEnds", scaled(0.5)},
	{"a term ends before the holder's deadline, so the loss is noticed late", "WhoIsCutOffKnowsBeforeAnotherIsGranted", scaled(0.4)},
	{"a term does not end", "WhoComesLaterTakesALockWhoseLeaseIsOver", scaled(100)},
	{"every swap starts every term again", "ATermThatIsLeftAloneRunsOn", func(f *faulty) {
		f.swap = func(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
			terms := make([]fleetlock.Term, len(next.Terms))
			for i, term := range next.Terms {
				term.Length = max(term.Length, 16*shortLease)
				terms[i] = term
			}
			next.Terms = terms
			return f.Memory.Swap(ctx, name, seen, next)
		}
	}},
	{"a term is not started again", "ATermThatIsStartedAgainLasts", startedOnce},
	{"a term is not started again, so that another is granted a lock that was renewed", "ARenewedLeaseLasts", startedOnce},
	{"the end of one term ends all", "TermsEndEachByItself", func(f *faulty) {
		f.load = func(ctx context.Context, name string) (fleetlock.Record, error) {
			got, err := f.Memory.Load(ctx, name)
			for _, term := range got.Terms {
				if term.Left == 0 {
					got.Terms = nil
					break
				}
			}
			return got, err
		}
	}},
	{"of several terms the last one is not told", "AllHoldersAreNamed", func(f *faulty) {
		f.load = func(ctx context.Context, name string) (fleetlock.Record, error) {
			got, err := f.Memory.Load(ctx, name)
			if n := len(got.Terms); n > 1 {
				got.Terms = got.Terms[:n-1]
			}
			return got, err
		}
	}},
	{"a change wakes nobody", "AReleaseWakesWhoWaits", func(f *faulty) {
		f.watch = func(ctx context.Context, _ string, changed func()) error {
			changed()
			<-ctx.Done()
			return ctx.Err()
		}
	}},
	{"a broken holder is not told", "ABrokenHolderIsTold", func(f *faulty) {
		f.watch = func(ctx context.Context, _ string, changed func()) error {
			changed()
			<-ctx.Done()
			return ctx.Err()
		}
	}},
	{"a watch does not say when it begins", "AWatchSaysThatItBegins", func(f *faulty) {
		f.watch = func(ctx context.Context, name string, changed func()) error {
			first := true
			return f.Memory.Watch(ctx, name, func() {
				if !first {
					changed()
				}
				first = false
			})
		}
	}},
}

func TestEveryPlantedFaultIsFound(t *testing.T) {
	t.Parallel()
	laws := make(map[string]law)
	for _, l := range allLaws() {
		laws[l.name] = l
	}
	verdicts := make([]chan error, len(faults))
	for i, f := range faults {
		verdicts[i] = make(chan error, 1)
		go func() {
			r := newFaulty(f.with)
			var err error
			for slower := range newStage(func() fleetlock.Register { return r }).slower {
				if err = slower.tryOnce(laws[f.law]); err != nil {
					break
				}
			}
			verdicts[i] <- err
		}()
	}
	for i, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			err := <-verdicts[i]
			if err == nil {
				t.Fatalf("the law %s holds of a register where %s", f.law, f.name)
			}
			t.Log(err)
		})
	}
}
