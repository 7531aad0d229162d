package fleetlock

import (
	"encoding/binary"
	"time"
)

// A record is all that a register holds of a lock.
type record struct {
	state state
	token uint64 // of the last grant
	// highest is the highest token that may have been granted: more than token, if a
	// record in between was lost to damage.
	highest uint64
	holder  identity
	since   time.Time     // of the last grant, by the wall clock
	lease   time.Duration // of the holder, or of the ticket
	until   instant       // when the lease ends, if there is one
	ticket  [32]byte      // SHA-256 of the secret, while detached
	why     string        // of the last Break or Repair
	owner   string        // of the entry, if it is one of a ledger
}

// An identity is what a holder writes about itself.
type identity struct {
	label, host string
	pid         int
}

type state uint8

const (
	stateFree state = iota + 1
	stateHeld
	stateDetached
)

// Limits of the texts in a record, in bytes, so that it has room in a slot.
const (
	maxHost = 64
	maxWhy  = 128
)

// encode appends the record: fields of fixed size, then each text behind its length.
func (r record) encode(b []byte) []byte {
	b = append(b, byte(r.state))
	b = binary.BigEndian.AppendUint64(b, r.token)
	b = binary.BigEndian.AppendUint64(b, r.highest)
	b = binary.BigEndian.AppendUint32(b, uint32(r.holder.pid))
	b = binary.BigEndian.AppendUint64(b, uint64(r.since.UnixMicro()))
	b = binary.BigEndian.AppendUint64(b, uint64(r.lease))
	b = append(b, r.until.boot[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.until.uptime))
	b = binary.BigEndian.AppendUint64(b, uint64(r.until.wall.UnixMicro()))
	b = append(b, r.ticket[:]...)
	for _, text := range []string{r.holder.label, r.holder.host, r.why} {
		b = append(b, byte(len(text)))
		b = append(b, text...)
	}
	return b
}

// decodeRecord reads what encode wrote and reports whether it is that, to the byte.
func decodeRecord(b []byte) (record, bool) {
	d := decoder{rest: b, ok: true}
	var r record
	r.state = state(d.bytes(1)[0])
	r.token = d.uint64()
	r.highest = d.uint64()
	r.holder.pid = int(int32(binary.BigEndian.Uint32(d.bytes(4))))
	r.since = time.UnixMicro(int64(d.uint64()))
	r.lease = time.Duration(d.uint64())
	copy(r.until.boot[:], d.bytes(len(r.until.boot)))
	r.until.uptime = time.Duration(d.uint64())
	r.until.wall = time.UnixMicro(int64(d.uint64()))
	copy(r.ticket[:], d.bytes(len(r.ticket)))
	r.holder.label = d.text(maxLabel)
	r.holder.host = d.text(maxHost)
	r.why = d.text(maxWhy)
	valid := r.state >= stateFree && r.state <= stateDetached && r.highest >= r.token && r.lease >= 0
	return r, d.ok && len(d.rest) == 0 && valid
}

// A decoder takes fields from the front of rest; once a field is not there it gives
// zeros.
type decoder struct {
	rest []byte
	ok   bool
}

func (d *decoder) bytes(n int) []byte {
	if len(d.rest) < n {
		d.ok, d.rest = false, nil
		return make([]byte, n)
	}
	field := d.rest[:n]
	d.rest = d.rest[n:]
	return field
}

func (d *decoder) uint64() uint64 { return binary.BigEndian.Uint64(d.bytes(8)) }

func (d *decoder) text(limit int) string {
	n := int(d.bytes(1)[0])
	if n > limit {
		d.ok = false
		return ""
	}
	return string(d.bytes(n))
}
