package fleetlock

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var recordOptions = cmp.AllowUnexported(record{}, identity{}, instant{}, slot{})

// anyRecord makes up one of those that production writes.
func anyRecord(r *rand.Rand) record {
	text := func(limit int) string { return strings.Repeat("\x00é", r.IntN(limit/3+1)) }
	moment := func() time.Time { return time.UnixMicro(r.Int64N(1 << 52)) }
	made := record{
		state: stateFree + state(r.IntN(3)), token: r.Uint64() >> 2,
		holder: identity{label: text(maxLabel), host: text(maxHost), pid: int(r.Int32())},
		since:  moment(), lease: time.Duration(r.Int64()), why: text(maxWhy),
	}
	made.until = instant{uptime: time.Duration(r.Int64()), wall: moment()}
	for i := range made.until.boot {
		made.until.boot[i] = byte(r.Uint32())
	}
	for i := range made.ticket {
		made.ticket[i] = byte(r.Uint32())
	}
	return version{floor: made.token + r.Uint64N(3)}.carry(made)
}

func TestASlotIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, slotSize)
	for range 2000 {
		want := slot{anyRecord(r), r.Uint64()}
		want.encode(b)
		got, ok := decodeSlot(b)
		if diff := cmp.Diff(want, got, recordOptions); diff != "" || !ok {
			t.Fatalf("a slot was read as %t (-want +got):\n%s", ok, diff)
		}
	}
}

func TestATicketIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	secret := []byte("sixteen bytes...")
	for _, token := range []uint64{0, 1, 1 << 50, 1<<64 - 1} {
		gotToken, gotSecret, err := newTicket(token, secret).parse()
		if err != nil || gotToken != token || !bytes.Equal(gotSecret, secret) {
			t.Errorf("a ticket of token %d is read as token %d, %q, %v", token, gotToken, gotSecret, err)
		}
	}
}

// Whatever stands in the file is either a record, and then one that encodes to what was
// there, or none.
func FuzzDecodeSlot(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 10 {
		b := make([]byte, slotSize)
		slot{anyRecord(r), r.Uint64()}.encode(b)
		f.Add(b)
	}
	f.Add(make([]byte, slotSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := decodeSlot(b)
		if !ok {
			return
		}
		again := make([]byte, slotSize)
		s.encode(again)
		if !bytes.Equal(again, b) {
			t.Errorf("%x is read as a slot that is written as %x", b, again)
		}
	})
}

func FuzzParseTicket(f *testing.F) {
	f.Add(string(newTicket(7, make([]byte, secretSize))))
	f.Add("fleetlock1.AA\nAA")
	f.Fuzz(func(t *testing.T, text string) {
		token, secret, err := Ticket(text).parse()
		if err == nil && string(newTicket(token, secret)) != text {
			t.Errorf("%q is read as a ticket that is written otherwise", text)
		}
	})
}
