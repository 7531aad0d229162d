package listquery

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/mosaicstack/fedkit/scope"
)

// learned is what a store knows about filters: which way the last page came. It is wrong
// where filters collide or rows have changed, and costs a page that goes a longer way
// then. It takes no lock and does not grow.
type learned struct {
	seed  maphash.Seed
	slots *[1024]atomic.Uint64
}

// A slot has the upper bits of a filter's key, how many pages more go the known way
// before one looks around again, and the way. It is 0 if nothing is known. A way is looks
// where no row has said it, on an empty page.
const (
	wayBits  = 8
	pageBits = 8
	wayMask  = 1<<wayBits - 1
	pageMask = 1<<pageBits - 1
	lowBits  = 1<<(wayBits+pageBits) - 1

	// pagesKnown is how many pages go a way before one looks around again: values may
	// have become too many to merge, or rows so dense that a walk would be better.
	pagesKnown = 16
)

func newLearned() learned {
	return learned{maphash.MakeSeed(), new([1024]atomic.Uint64)}
}

// key stands for what decides the way of a filter's pages.
func (l *learned) key(f scope.Filter) uint64 {
	var h maphash.Hash
	h.SetSeed(l.seed)
	if f.Personal {
		h.WriteByte(1)
	}
	h.WriteByte(byte(pageSize(f.Limit + 1)))
	for _, text := range [...]string{f.Resource, f.Subject} {
		h.WriteString(text)
		h.WriteByte(0)
	}
	for _, team := range f.Teams {
		h.WriteString(team)
		h.WriteByte(0)
	}
	return h.Sum64() &^ lowBits
}

func (l *learned) slot(key uint64) *atomic.Uint64 {
	return &l.slots[key>>(wayBits+pageBits)%uint64(len(l.slots))]
}

// wayOf is the way that the next page should go.
func (l *learned) wayOf(key uint64) way {
	slot := l.slot(key)
	known := slot.Load()
	if known&^lowBits != key || known>>wayBits&pageMask == 0 {
		return looks
	}
	slot.CompareAndSwap(known, known-1<<wayBits) // or another page has counted
	return way(known & wayMask)
}

// learn takes note of the way that a page went which was to go another or the same one.
// Only who has looked around knows more than before.
func (l *learned) learn(key uint64, meant, went way) {
	slot := l.slot(key)
	switch known := slot.Load(); {
	case meant == looks && went != looks && went != strays:
		slot.Store(key | pagesKnown<<wayBits | uint64(went))
	case meant != looks && went == strays && known&^lowBits == key:
		slot.CompareAndSwap(known, 0)
	}
}
