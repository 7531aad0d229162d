package fleetlock

import (
	"context"
	"sync/atomic"
	"testing"
	"time"
)

// A hasty clock goes on by a nanosecond each time that someone looks at it.
type hastyClock struct {
	machineClock
	looks atomic.Int64
}

func (c *hastyClock) now() instant { return instant{}.add(time.Duration(c.looks.Add(1))) }

// A still register has one record, and nothing else happens to it.
type still struct {
	Register
	Record
}

func (s still) Load(context.Context, string) (Record, error) { return s.Record, nil }

// All slots are taken, and the first term ends after one look at the clock or another.
func TestALockThatIsHeldHasAllOfItsHolders(t *testing.T) {
	t.Parallel()
	for left := range time.Duration(10) {
		for _, slots := range []int{1, 2} {
			register := still{Record: Record{Version: 1, Token: uint64(slots)}}
			book := ledger{Token: register.Token}
			for i := range slots {
				r := record{state: stateHeld, token: uint64(i + 1), lease: time.Minute}
				book.Holders = append(book.Holders, newEntry(r, ""))
				register.Terms = append(register.Terms, Term{ID: holderTerm(r.token), Left: left + time.Duration(i)})
			}
			register.Text, _ = book.encode() // it is a good one
			clock := func(o *options) { o.clock = new(hastyClock) }
			info, err := On(register, "a", Lease(time.Minute), Slots(slots), clock).Inspect(t.Context())
			if all := len(info.Holders) == slots; err != nil || all == info.State.open() {
				t.Errorf("a lock of %d slots, with %d looks left until a term ends, is %v with %d holders, %v",
					slots, left, info.State, len(info.Holders), err)
			}
		}
	}
}
