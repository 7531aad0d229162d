package fleetlock_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/fleetlocktest"
)

// Whom a damaged record has granted the lock nobody can tell, but that somebody may have it
// as long as one of its terms runs.
func TestARecordOfARegisterIsRepairedWhenItsTermsAreOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const length = time.Second
		register := new(fleetlocktest.Memory)
		_, err := register.Swap(t.Context(), "restart", 0, fleetlock.Record{
			Token: 7, Text: "no record", Terms: []fleetlock.Term{{ID: "h7", Length: length}},
		})
		if err != nil {
			t.Fatal(err)
		}
		lock := fleetlock.On(register, "restart", fleetlock.Lease(10*time.Second))
		if _, err := lock.TryAcquire(t.Context()); !errors.Is(err, fleetlock.ErrCorrupt) {
			t.Errorf("a damaged record is answered with %v", err)
		}
		if err := lock.Repair(t.Context(), "too early"); !errors.As(err, new(*fleetlock.BusyError)) {
			t.Errorf("a record whose term runs is repaired with %v", err)
		}
		time.Sleep(length)
		if err := lock.Repair(t.Context(), "looked after it"); err != nil {
			t.Errorf("a record whose term is over is repaired with %v", err)
		}
		held, err := lock.TryAcquire(t.Context())
		if err != nil || held.Token() <= 7 {
			t.Fatalf("after the repair the lock is granted as %v, %v", held, err)
		}
		if err := held.Release(); err != nil {
			t.Error(err)
		}
	})
}
