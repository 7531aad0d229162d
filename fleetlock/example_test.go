package fleetlock_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

func Example() {
	dir, err := os.MkdirTemp("", "fleetlock")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "restart.lock")

	lock := fleetlock.File(path, fleetlock.Label("deploy 1742"))
	held, err := lock.Acquire(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer held.Release()

	// Somebody else, who does not want to wait.
	_, err = fleetlock.File(path).TryAcquire(context.Background())
	var busy *fleetlock.BusyError
	if errors.As(err, &busy) {
		fmt.Println("busy:", busy.Holder.Label)
	}

	// ... restart the fleet under held.Context(), with held.Token() ...

	if err := held.Release(); err != nil {
		fmt.Println("somebody else may have been at it:", err)
	}
	fmt.Println(held.Err() != nil)
	// Output:
	// busy: deploy 1742
	// true
}

// A wait is ended by its context, and its error says who holds the lock.
func ExampleLock_Acquire() {
	path := tempLock()
	defer os.RemoveAll(filepath.Dir(path))
	held, err := fleetlock.File(path, fleetlock.Label("nightly")).Acquire(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer held.Release()

	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err = fleetlock.File(path).Acquire(ctx)
	var busy *fleetlock.BusyError
	fmt.Println(errors.Is(err, context.DeadlineExceeded), errors.As(err, &busy) && busy.Holder.Label == "nightly")
	// Output: true true
}

// A restarter that restarts itself hands the lock to the process that it becomes.
func ExampleHeld_Detach() {
	path := tempLock()
	defer os.RemoveAll(filepath.Dir(path))
	before, err := fleetlock.File(path).Acquire(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	ticket, err := before.Detach(time.Minute) // to the environment of the new process
	if err != nil {
		fmt.Println(err)
		return
	}

	// In the new process.
	after, err := fleetlock.File(path).Resume(context.Background(), ticket)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer after.Release()
	fmt.Println(after.Token() > before.Token())
	// Output: true
}

// An operator passes over a holder that lives but does nothing any more.
func ExampleLock_Break() {
	path := tempLock()
	defer os.RemoveAll(filepath.Dir(path))
	hung, err := fleetlock.File(path, fleetlock.Label("hung")).Acquire(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}

	lock := fleetlock.File(path)
	info, err := lock.Inspect(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.State, info.Holders[0].Label)
	if err := lock.Break(context.Background(), info.Holders[0].Token, "asleep since noon"); err != nil {
		fmt.Println(err) // it is no longer that holder's
		return
	}

	<-hung.Context().Done()
	fmt.Println(errors.Is(context.Cause(hung.Context()), fleetlock.ErrLost))
	// Output:
	// held hung
	// true
}

func tempLock() string {
	dir, err := os.MkdirTemp("", "fleetlock")
	if err != nil {
		panic(err)
	}
	return filepath.Join(dir, "lock")
}
