package fleetlocktest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/fleetlocktest"
)

// Two machines of a fleet, in a test of what runs on them.
func ExampleMemory() {
	register := new(fleetlocktest.Memory)
	berlin := fleetlock.On(register, "restart", fleetlock.Lease(10*time.Second), fleetlock.Label("berlin"))
	lima := fleetlock.On(register, "restart", fleetlock.Lease(10*time.Second), fleetlock.Label("lima"))

	held, err := berlin.Acquire(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	_, err = lima.TryAcquire(context.Background())
	var busy *fleetlock.BusyError
	if errors.As(err, &busy) {
		fmt.Println("busy:", busy.Holder.Label)
	}
	if err := held.Release(); err != nil {
		log.Fatal(err)
	}
	held, err = lima.TryAcquire(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer held.Release()
	fmt.Println(held.Err())
	// Output:
	// busy: berlin
	// <nil>
}
