package fleetlock

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// whole is as long as what stands for it may be at most.
func whole(t *testing.T, what string, limit int, of any) {
	t.Helper()
	var text strings.Builder
	to := json.NewEncoder(&text)
	to.SetEscapeHTML(false)
	if err := to.Encode(of); err != nil {
		t.Fatal(err)
	}
	if n := text.Len(); n > limit { // with a line end that stands for the comma
		t.Errorf("%s has %d bytes, more than %d: %s", what, n, limit, text.String())
	}
}

func TestAllOfALedgerThatMustHaveRoomHasIt(t *testing.T) {
	t.Parallel()
	host := fitHost(strings.Repeat("\"<\\\x01\xff\u2028\u00e9", maxHost))
	label := strings.Repeat(`"`, maxLabel)
	if err := fitLabel(options{label: label}); err != nil {
		t.Fatal(err)
	}
	worst := newEntry(record{
		state: stateDetached, token: math.MaxInt64, lease: maxLease, since: time.Now(),
		holder: identity{label, host, math.MinInt32},
	}, newStamp())
	whole(t, "a holder", maxEntry, worst)
	whole(t, "a place in the line", maxSpot, spot{ID: newStamp(), Host: host, PID: math.MinInt32, Lease: maxLease})
	whole(t, "all else", maxOthers, ledger{
		Format: ledgerFormat, Token: math.MaxInt64, Holders: []entry{}, Line: []spot{}, Last: &worst,
		Broken: true, Why: strings.Repeat("\x01", maxWhy),
	})
	if n := maxLine(MaxSlots); n < 40 {
		t.Errorf("with every slot taken %d have a place in the line", n)
	}
}

func TestALedgerThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{
		"no JSON":                           `{`,
		"a form that is not known":          `{"fleetlock":2}`,
		"a holder of a token to come":       `{"fleetlock":1,"token":1,"holders":[{"token":2,"lease_ns":1}]}`,
		"a holder without a lease":          `{"fleetlock":1,"token":1,"holders":[{"token":1}]}`,
		"a ticket without a secret":         `{"fleetlock":1,"token":1,"holders":[{"token":1,"lease_ns":1,"detached":true}]}`,
		"a place without an ID":             `{"fleetlock":1,"token":1,"line":[{"lease_ns":1}]}`,
		"a place whose owner has no lease":  `{"fleetlock":1,"token":1,"line":[{"id":"a"}]}`,
		"a place whose owner's lease is -1": `{"fleetlock":1,"token":1,"line":[{"id":"a","lease_ns":-1}]}`,
	} {
		if l, err := decodeLedger(text); !errors.Is(err, ErrCorrupt) {
			t.Errorf("with %s it is %+v, %v", what, l, err)
		}
	}
	if _, err := decodeLedger(`{"fleetlock":1,"token":1,"holders":[{"token":1,"lease_ns":1}],"line":[{"id":"a","lease_ns":1}]}`); err != nil {
		t.Error(err)
	}
}
