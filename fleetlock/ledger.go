package fleetlock

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A ledger is all that a register holds of a lock, as text.
type ledger struct {
	Format  int     `json:"fleetlock"` // the version of this form
	Token   uint64  `json:"token"`     // the highest that was granted
	Holders []entry `json:"holders,omitempty"`
	Line    []spot  `json:"line,omitempty"`   // of those who wait, the first in front
	Last    *entry  `json:"last,omitempty"`   // who held the lock last and does no more
	Broken  bool    `json:"broken,omitempty"` // by Break or Repair, for the reason Why
	Why     string  `json:"why,omitempty"`
}

const ledgerFormat = 1

// An entry is a holder, or a ticket.
type entry struct {
	Token    uint64        `json:"token"`
	Label    string        `json:"label,omitempty"`
	Host     string        `json:"host"`
	PID      int           `json:"pid"`
	Since    int64         `json:"since_us"` // microseconds since 1970
	Lease    time.Duration `json:"lease_ns"`
	Detached bool          `json:"detached,omitempty"`
	Ticket   []byte        `json:"ticket,omitempty"` // SHA-256 of the secret
	// Owner is drawn afresh for each grant. Two have the same token if a grant was lost
	// with the server that it was written to; then the owner tells them apart.
	Owner string `json:"owner"`
	// Stamp is drawn afresh each time the entry is written: who does not know whether a
	// swap went through finds out by it.
	Stamp string `json:"stamp"`
}

// A spot is the place of one who waits.
type spot struct {
	ID    string        `json:"id"`
	Host  string        `json:"host"`
	PID   int           `json:"pid"`
	Lease time.Duration `json:"lease_ns"` // of its term in the front
}

func holderTerm(token uint64) string { return "h" + strconv.FormatUint(token, 10) }
func placeTerm(id string) string     { return "w" + id }

// Limits of a ledger in bytes, so that all have room in the text of a Record who have to
// have it.
const (
	maxText   = 64<<10 - 1
	maxEntry  = 576  // of a holder, whatever its label
	maxSpot   = 150  // of a place in the line
	maxOthers = 1536 // of what is neither
)

// maxLine is how long the line of a lock can be that has so many slots.
func maxLine(slots int) int { return (maxText - maxOthers - slots*maxEntry) / maxSpot }

func (l ledger) encode() (string, error) {
	l.Format = ledgerFormat
	var text strings.Builder
	to := json.NewEncoder(&text)
	to.SetEscapeHTML(false) // which makes six bytes of one
	err := to.Encode(l)
	return strings.TrimSuffix(text.String(), "\n"), err
}

// decodeLedger reads what encode wrote.
func decodeLedger(text string) (l ledger, err error) {
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return ledger{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if l.Format != ledgerFormat {
		return ledger{}, fmt.Errorf("%w: form %d of the record is not known", ErrCorrupt, l.Format)
	}
	for _, h := range l.Holders {
		if h.Token > l.Token || h.Lease <= 0 || h.Detached && len(h.Ticket) != len(record{}.ticket) {
			return ledger{}, fmt.Errorf("%w: the holder under token %d makes no sense", ErrCorrupt, h.Token)
		}
	}
	for _, w := range l.Line {
		if w.ID == "" || w.Lease <= 0 {
			return ledger{}, fmt.Errorf("%w: the place %q in the line makes no sense", ErrCorrupt, w.ID)
		}
	}
	return l, nil
}

// holder returns where the holder under a token is, or -1.
func (l ledger) holder(token uint64) int {
	return slices.IndexFunc(l.Holders, func(e entry) bool { return e.Token == token })
}

// broken reports whether the holder under a token was the last one, and was broken.
func (l ledger) broken(token uint64) bool {
	return l.Broken && l.Last != nil && l.Last.Token == token
}

// inLine returns where a place is, or -1.
func (l ledger) inLine(id string) int {
	return slices.IndexFunc(l.Line, func(p spot) bool { return p.ID == id })
}

// clone returns a ledger that can be changed.
func (l ledger) clone() ledger {
	l.Holders, l.Line = slices.Clone(l.Holders), slices.Clone(l.Line)
	return l
}

// end takes a holder out.
func (l *ledger) end(i int, broken bool, why string) {
	last := l.Holders[i]
	l.Last, l.Broken, l.Why = &last, broken, why
	l.Holders = slices.Delete(l.Holders, i, i+1)
}

// newEntry is what the ledger keeps of a record, with a stamp that is the owner's mark, too,
// if that has none yet.
func newEntry(r record, owner string) entry {
	stamp := newStamp()
	e := entry{
		Token: r.token, Label: r.holder.label, Host: r.holder.host, PID: r.holder.pid,
		Since: r.since.UnixMicro(), Lease: r.lease, Owner: cmp.Or(owner, stamp), Stamp: stamp,
	}
	if r.state == stateDetached {
		e.Detached, e.Ticket = true, r.ticket[:]
	}
	return e
}

// record is the entry as the state machine of a lock knows it.
func (e entry) record(until instant) record {
	r := record{
		state: stateHeld, token: e.Token, holder: identity{e.Label, e.Host, e.PID},
		since: time.UnixMicro(e.Since), lease: e.Lease, until: until, owner: e.Owner,
	}
	if e.Detached {
		r.state = stateDetached
		copy(r.ticket[:], e.Ticket)
	}
	return r
}

// record is that of one who waits, under no token: which one it will have is not known
// yet. It stands at the latest until a holder's does that it does not have to wait for.
func (s spot) record(now instant, holder record) record {
	r := record{state: stateHeld, holder: identity{host: s.Host, pid: s.PID}, lease: s.Lease, until: now.add(s.Lease)}
	if left, _ := holder.until.sub(r.until); holder.token != 0 && left < 0 {
		r.until = holder.until
	}
	return r
}
