package fleetlocktest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

var registerLaws = []law{
	{"AnUnknownNameHasVersionZero", unknownName},
	{"ARecordIsKeptToTheByte", keptToTheByte},
	{"ASwapOfAnotherVersionChangesNothing", staleSwap},
	{"AVersionIsNeverUsedTwice", freshVersions},
	{"OfSwapsAtOnceOneIsMade", atomicSwap},
	{"NamesAreApart", namesApart},
	{"ACallAfterTheEndOfItsContextDoesNothing", endedContext},
}

func unknownName(ctx context.Context, s *stage) error {
	got, err := s.open().Load(ctx, newName())
	if err != nil {
		return err
	}
	return errors.Join(expect("the version", got.Version, 0), expect("the number of terms", len(got.Terms), 0))
}

func keptToTheByte(ctx context.Context, s *stage) error {
	here, there, name := s.open(), s.open(), newName()
	seen := uint64(0)
	for i, text := range []string{
		`{}`, `{ "b":1,"a":  "\u0000 ' \\ % ü 😀" , "a":2}`, `"` + strings.Repeat("x", 64<<10-3) + `"`,
	} {
		token := uint64(1<<63-1) - 2 + uint64(i)
		version, err := here.Swap(ctx, name, seen, fleetlock.Record{Token: token, Text: text})
		if err != nil {
			return fmt.Errorf("a record of %d bytes: %w", len(text), err)
		}
		got, err := there.Load(ctx, name)
		if err != nil {
			return err
		}
		if got.Text != text {
			return fmt.Errorf("a text of %d bytes is loaded as one of %d: %.80s", len(text), len(got.Text), got.Text)
		}
		if got.Token < token {
			return fmt.Errorf("the token %d is loaded as %d", token, got.Token)
		}
		if err := errors.Join(expect("the version", got.Version, version)); err != nil {
			return err
		}
		seen = version
	}
	return nil
}

func staleSwap(ctx context.Context, s *stage) error {
	here, there, name := s.open(), s.open(), newName()
	first, err := here.Swap(ctx, name, 0, fleetlock.Record{Token: 1, Text: `"first"`})
	if err != nil {
		return err
	}
	second, err := there.Swap(ctx, name, first, fleetlock.Record{Token: 2, Text: `"second"`})
	if err != nil {
		return err
	}
	for _, stale := range []uint64{0, first, second + 1, second + 1000} {
		_, err := here.Swap(ctx, name, stale, fleetlock.Record{Token: 3, Text: `"third"`})
		if err := expectError(fmt.Sprintf("a swap of version %d while it is %d", stale, second), err, fleetlock.ErrChanged); err != nil {
			return err
		}
	}
	got, err := here.Load(ctx, name)
	return errors.Join(err, expect("the text", got.Text, `"second"`), expect("the version", got.Version, second))
}

func freshVersions(ctx context.Context, s *stage) error {
	clients, name := []fleetlock.Register{s.open(), s.open()}, newName()
	used := map[uint64]bool{0: true}
	seen := uint64(0)
	for i := range 20 {
		version, err := clients[i%2].Swap(ctx, name, seen, fleetlock.Record{Token: 1, Text: strconv.Itoa(i % 3)})
		if err != nil {
			return err
		}
		if used[version] {
			return fmt.Errorf("swap %d has version %d, which was used before", i, version)
		}
		used[version] = true
		seen = version
	}
	return nil
}

func atomicSwap(ctx context.Context, s *stage) error {
	const clients, swaps = 6, 8
	name := newName()
	var mu sync.Mutex
	winner := make(map[uint64]int)
	err := each(clients, func(i int) error {
		r := s.open()
		for made := 0; made < swaps; {
			got, err := r.Load(ctx, name)
			if err != nil {
				return err
			}
			n, _ := strconv.Atoi(got.Text) // zero if there is no record
			_, err = r.Swap(ctx, name, got.Version, fleetlock.Record{Token: 1, Text: strconv.Itoa(n + 1)})
			if errors.Is(err, fleetlock.ErrChanged) {
				continue
			}
			if err != nil {
				return err
			}
			made++
			mu.Lock()
			other, taken := winner[got.Version]
			winner[got.Version] = i
			mu.Unlock()
			if taken {
				return fmt.Errorf("clients %d and %d both swapped version %d", i, other, got.Version)
			}
		}
		return nil
	})
	got, loadErr := s.open().Load(ctx, name)
	return errors.Join(err, loadErr, expect("the count", got.Text, strconv.Itoa(clients*swaps)))
}

func namesApart(ctx context.Context, s *stage) error {
	r, base := s.open(), newName()
	names := []string{base, base + "/", base + "/a", base + "a", base + "%", base + "_", base + "'", base + " ", base + "ü", strings.ToUpper(base), strings.ToLower(base)}
	for _, name := range names {
		_, err := r.Swap(ctx, name, 0, fleetlock.Record{Token: 1, Text: strconv.Quote(name), Terms: []fleetlock.Term{{ID: "a", Length: s.long()}}})
		if err != nil {
			return fmt.Errorf("the first record of %q: %w", name, err)
		}
	}
	for _, name := range names {
		got, err := r.Load(ctx, name)
		if err := errors.Join(err, expect("the text", got.Text, strconv.Quote(name)), expect("the number of terms", len(got.Terms), 1)); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
	}
	return nil
}

func endedContext(ctx context.Context, s *stage) error {
	r, name := s.open(), newName()
	ended, cancel := context.WithCancel(ctx)
	cancel()
	began := time.Now()
	_, loadErr := r.Load(ended, name)
	_, swapErr := r.Swap(ended, name, 0, fleetlock.Record{Token: 1, Text: `{}`})
	watchErr := r.Watch(ended, name, func() {})
	if took := time.Since(began); took > s.slack() {
		return latef("calls return %v after the end of their context", took)
	}
	if loadErr == nil || swapErr == nil || watchErr == nil {
		return fmt.Errorf("after the end of the context Load returns %v, Swap %v, Watch %v", loadErr, swapErr, watchErr)
	}
	got, err := r.Load(ctx, name)
	return errors.Join(err, expect("the version after a swap that was not made", got.Version, 0))
}
