package fleetlock

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"time"
)

// The file of a lock with Slots holds two copies of its record, each with room for the
// largest. A record is written over the older one, so that a write that fails, whatever
// it leaves behind, leaves the newer.
//
//	0  magic and version  "fleetsl1"
//	8  sequence           rises with every record; it says which copy is newer
//	16 length of the body
//	20 CRC-32C of the body and all before it
//	24 body               token, text, terms
const (
	rollMagic = "fleetsl1"
	rollHead  = 24
	rollRoom  = 256 << 10 // from one copy to the next; most of it is never written
	rollBlock = 4096      // what a disk gives room for at once
)

// A rollCopy is a record as the file has it.
type rollCopy struct {
	sequence uint64
	token    uint64
	text     string // empty if there is no record yet
	terms    []rollTerm
	damaged  bool // the other copy is: it may have been the newer
}

// A rollTerm is a term, by the machine's clock. A tied one is over as soon as the process
// is dead that named it first.
type rollTerm struct {
	id    string
	until instant // zero if it has yet to start
	tied  bool
}

// left is what is left of a term whose process lives, if it is tied.
func (t rollTerm) left(now instant) time.Duration {
	if t.until.wall.IsZero() {
		return 0
	}
	left, comparable := t.until.sub(now)
	if t.tied && !comparable {
		return max(left, time.Second) // it lives, and by a clock that this process does not know
	}
	return max(left, 0)
}

func (c rollCopy) version() uint64 {
	if c.text == "" {
		return 0
	}
	return c.sequence
}

// next is the sequence of the record that follows: it goes over the older copy. That of a
// record that was lost to damage is never used again.
func (c rollCopy) next() uint64 {
	if c.damaged {
		return c.sequence + 3
	}
	return c.sequence + 1
}

func rollPlace(sequence uint64) int64 { return int64(sequence%2) * rollRoom }

// term returns where a term is, or -1.
func (c rollCopy) term(id string) int {
	return slices.IndexFunc(c.terms, func(t rollTerm) bool { return t.id == id })
}

func (c rollCopy) encode() []byte {
	b := make([]byte, rollHead, rollBlock)
	b = binary.BigEndian.AppendUint64(b, c.token)
	b = binary.BigEndian.AppendUint32(b, uint32(len(c.text)))
	b = append(b, c.text...)
	for _, t := range c.terms {
		b = t.encode(b)
	}
	copy(b, rollMagic)
	binary.BigEndian.PutUint64(b[8:], c.sequence)
	binary.BigEndian.PutUint32(b[16:], uint32(len(b)-rollHead))
	binary.BigEndian.PutUint32(b[20:], rollSum(b))
	return b
}

func rollSum(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[:20], castagnoli), castagnoli, b[rollHead:])
}

const rollTermSize = 1 + 1 + 16 + 8 + 8 // and the ID

func (t rollTerm) encode(b []byte) []byte {
	tied, wall := byte(0), int64(0)
	if t.tied {
		tied = 1
	}
	if !t.until.wall.IsZero() {
		wall = t.until.wall.UnixNano()
	}
	b = append(b, byte(len(t.id)), tied)
	b = append(b, t.until.boot[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(t.until.uptime))
	b = binary.BigEndian.AppendUint64(b, uint64(wall))
	return append(b, t.id...)
}

// rollLength is how long the copy is that begins with a head, if it is one.
func rollLength(head []byte) (int, bool) {
	if len(head) < rollHead || !bytes.HasPrefix(head, []byte(rollMagic)) {
		return 0, false
	}
	n := int64(binary.BigEndian.Uint32(head[16:])) + rollHead
	return int(n), n <= rollRoom
}

// decodeRollCopy reads what encode wrote and reports whether it is that.
func decodeRollCopy(b []byte) (c rollCopy, ok bool) {
	n, ok := rollLength(b)
	if !ok || n > len(b) || binary.BigEndian.Uint32(b[20:]) != rollSum(b[:n]) {
		return rollCopy{}, false
	}
	c.sequence = binary.BigEndian.Uint64(b[8:])
	b = b[rollHead:n]
	if len(b) < 12 {
		return rollCopy{}, false
	}
	c.token = binary.BigEndian.Uint64(b)
	text := int64(binary.BigEndian.Uint32(b[8:]))
	if b = b[12:]; text > int64(len(b)) {
		return rollCopy{}, false
	}
	c.text, b = string(b[:text]), b[text:]
	for len(b) > 0 {
		if len(b) < rollTermSize || len(b) < rollTermSize+int(b[0]) {
			return rollCopy{}, false
		}
		size := rollTermSize + int(b[0])
		c.terms = append(c.terms, decodeRollTerm(b[:size]))
		b = b[size:]
	}
	return c, true
}

func decodeRollTerm(b []byte) (t rollTerm) {
	t.tied = b[1] == 1
	copy(t.until.boot[:], b[2:])
	t.until.uptime = time.Duration(binary.BigEndian.Uint64(b[18:]))
	if wall := int64(binary.BigEndian.Uint64(b[26:])); wall != 0 {
		t.until.wall = time.Unix(0, wall)
	}
	t.id = string(b[rollTermSize:])
	return t
}
