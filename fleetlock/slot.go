package fleetlock

import (
	"encoding/binary"
	"hash/crc32"
)

// The file holds two slots, each in a sector of its own. A record is written over the
// older one, so that a write that fails, whatever it leaves behind, leaves the newer.
//
//	0  magic and version  "fleetlk1"
//	8  sequence           rises by one with every record; it says which slot is newer
//	16 length of the record
//	18 record
//	.. zeros
//	508 CRC-32C of all before
const (
	slotSize  = 512
	fileSize  = 2 * slotSize
	slotMagic = "fleetlk1"
	headSize  = 18
	sumStart  = slotSize - 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A slot is a record and its place among all that the file held.
type slot struct {
	record
	sequence uint64
}

// encode writes the slot over b, which has the size of one.
func (s slot) encode(b []byte) {
	clear(b)
	copy(b, slotMagic)
	binary.BigEndian.PutUint64(b[8:], s.sequence)
	text := s.record.encode(b[headSize:headSize])
	binary.BigEndian.PutUint16(b[16:], uint16(len(text)))
	binary.BigEndian.PutUint32(b[sumStart:], crc32.Checksum(b[:sumStart], castagnoli))
}

// decodeSlot reads what encode wrote and reports whether it is that.
func decodeSlot(b []byte) (slot, bool) {
	if len(b) != slotSize || string(b[:8]) != slotMagic {
		return slot{}, false
	}
	if binary.BigEndian.Uint32(b[sumStart:]) != crc32.Checksum(b[:sumStart], castagnoli) {
		return slot{}, false
	}
	n := int(binary.BigEndian.Uint16(b[16:]))
	if n > sumStart-headSize {
		return slot{}, false
	}
	r, ok := decodeRecord(b[headSize : headSize+n])
	return slot{r, binary.BigEndian.Uint64(b[8:])}, ok
}

// decodeFile returns the newer of the slots that are whole, as a
// snapshot, and reports whether there is one.
func decodeFile(b []byte) (snapshot, bool) {
	first, firstOK := decodeSlot(b[:min(len(b), slotSize)])
	second, secondOK := decodeSlot(b[min(len(b), slotSize):])
	newer := first
	if !firstOK || secondOK && second.sequence > first.sequence {
		newer = second
	}
	s := snapshot{newer.record, version{newer.sequence, newer.highest}}
	if firstOK != secondOK {
		s.floor++ // the slot that is not whole may have granted one more
	}
	return s, firstOK || secondOK
}

// place is where in the file the slot of a sequence stands.
func place(sequence uint64) int64 { return int64(sequence%2) * slotSize }
