// Package fleetlocktest has the tests that every [fleetlock.Register] must pass, and a
// register in memory for the tests of hosts.
//
// A register of one's own, such as another database, runs the suite in its tests:
//
//	func TestRegister(t *testing.T) {
//		fleetlocktest.Run(t, func() fleetlock.Register { return openMyRegister(t) })
//	}
//
// Each of its laws is a test with a name that says what it asks for. They are about single
// swaps, the ends of terms, what is watched, and the locks that are made of these, among
// them those of machines that are cut off from the register. What happens when a server
// is killed or loses its disk is for tests that know the server.
package fleetlocktest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// Run tests a register. Each call of newRegister returns a client of the same store: the
// suite takes each for a machine of its own, and calls newRegister from several
// goroutines. The names that it uses are new ones, so the store need not be empty.
//
// The suite takes some seconds, during which it holds locks with leases of 400 ms, and
// wants a waiter to be served two seconds after a lease is over at the latest. Where the
// store or the machine is too slow for that, it tries with leases that are longer, and
// with more patience.
func Run(t *testing.T, newRegister func() fleetlock.Register) {
	t.Helper()
	newStage(newRegister).run(t, allLaws())
}

// A law is what holds of a store, by an error if it does not.
type law struct {
	name  string
	holds func(ctx context.Context, s *stage) error
}

func allLaws() []law {
	return slices.Concat(registerLaws, termLaws, watchLaws, remoteLaws, slotLaws, lockLaws)
}

// A stage is where laws are tried.
type stage struct {
	open func() fleetlock.Register
	lock func(name string, opts ...fleetlock.Option) *fleetlock.Lock

	// lease is short enough to be waited for. All other times are in proportion.
	lease time.Duration
}

// slack is by how much a lock may be granted later than the lease before it ends.
func (s *stage) slack() time.Duration { return 5 * s.lease }

// long is so long a lease that nobody waits for it, nor for a quarter of it, after which
// who waits looks by itself.
func (s *stage) long() time.Duration { return 150 * s.lease }

func newStage(newRegister func() fleetlock.Register) *stage {
	return &stage{
		open:  newRegister,
		lease: shortLease,
		lock: func(name string, opts ...fleetlock.Option) *fleetlock.Lock {
			return fleetlock.On(newRegister(), name, opts...)
		},
	}
}

// run tries the laws, several at once because most of what they do is to wait. It returns
// when all have been tried, also those that nobody asked for (go test -run), because the
// store may end with the test.
func (s *stage) run(t *testing.T, laws []law) {
	t.Helper()
	const atOnce = 8
	verdicts := make([]<-chan error, len(laws))
	turn := make(chan struct{}, atOnce)
	for i, l := range laws {
		verdicts[i] = s.begin(l, turn)
	}
	for i, l := range laws {
		t.Run(l.name, func(t *testing.T) {
			if err := <-verdicts[i]; err != nil {
				t.Error(err)
			}
		})
	}
	for _, verdict := range verdicts {
		for range verdict { // until it is closed
		}
	}
}

// begin tries a law when it is its turn. The channel has the verdict, and is closed then.
func (s *stage) begin(l law, turn chan struct{}) <-chan error {
	verdict := make(chan error, 1)
	go func() {
		defer close(verdict)
		turn <- struct{}{}
		defer func() { <-turn }()
		verdict <- ended(func() error { return s.try(l) })
	}()
	return verdict
}

// errEnded is the error of what ends its goroutine, as t.Fatal in newRegister does.
var errEnded = errors.New("newRegister has ended the goroutine that asked for a register")

// ended runs a func in a goroutine of its own, and returns its error or errEnded.
func ended(do func() error) error {
	result := make(chan error, 1)
	go func() {
		err := errEnded
		defer func() { result <- err }()
		err = do()
	}()
	return <-result
}

const (
	shortLease = 400 * time.Millisecond
	// patience ends a law that hangs.
	patience = 2 * time.Minute
)

// try tries a law with leases that get longer, as long as it may be that the machine or
// the store was only too slow: a process that stands still for a second has lost its
// lease of half of one. What is broken is broken with the longer ones, too.
func (s *stage) try(l law) (err error) {
	for slower := range s.slower {
		if err = slower.tryOnce(l); !mayBeSlowness(err) {
			break
		}
	}
	return err
}

// slower yields stages for slower and slower machines.
func (s *stage) slower(yield func(*stage) bool) {
	next := *s
	for range 3 {
		if !yield(&next) {
			return
		}
		next.lease *= 4
	}
}

func (s *stage) tryOnce(l law) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return l.holds(ctx, s)
}

// errLate says that something did not come in time.
var errLate = errors.New("too late")

func latef(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errLate, fmt.Sprintf(format, args...))
}

// A wrong is what no slowness excuses, whatever else came with it.
type wrong struct{ error }

func mayBeSlowness(err error) bool {
	late := slices.ContainsFunc([]error{errLate, errLost, fleetlock.ErrLost, context.DeadlineExceeded},
		func(target error) bool { return errors.Is(err, target) })
	return late && !errors.As(err, new(wrong))
}

func newName() string { return "t" + rand.Text() }

// expect returns an error unless got is what was expected.
func expect[T comparable](what string, got, want T) error {
	if got != want {
		return wrong{fmt.Errorf("%s is %v, not %v", what, got, want)}
	}
	return nil
}

// expectError returns an error unless err is another's.
func expectError(what string, err, want error) error {
	switch {
	case errors.Is(err, want):
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w, and not %v", what, err, want)
	}
	return wrong{fmt.Errorf("%s: the error is %v, not %v", what, err, want)}
}

// each runs a func at once for each of n, and returns their errors.
func each(n int, do func(i int) error) error {
	errs := make(chan error, n)
	for i := range n {
		go func() { errs <- ended(func() error { return do(i) }) }()
	}
	var all error
	for range n {
		all = errors.Join(all, <-errs)
	}
	return all
}

// until asks again and again whether something is so.
func until(ctx context.Context, what string, limit time.Duration, is func() (bool, error)) error {
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		ok, err := is()
		switch {
		case err != nil:
			return err
		case ok:
			return nil
		case time.Since(began) > limit:
			return latef("after %v it is not so that %s", limit, what)
		case ctx.Err() != nil:
			return fmt.Errorf("%s: %w", what, ctx.Err())
		}
	}
}
