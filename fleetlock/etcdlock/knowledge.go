package etcdlock

import (
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// A knowledge is what this client has seen of a name.
type knowledge struct {
	version uint64   // that was seen last
	ids     []string // the terms that it names
	terms   map[string]term
}

// A term is one that was seen in a key.
type term struct {
	revision int64 // of the key, another one whenever the term begins again
	length   time.Duration
	seen     time.Time // when the revision was seen first: the term began before
	gone     bool      // the key is
}

// meet takes in a whole record with its terms.
func (k *knowledge) meet(version uint64, ids []string, terms map[string]term, now time.Time) {
	if version < k.version {
		return // two loads have overtaken each other
	}
	k.version, k.ids = version, ids
	k.see(terms, now)
	named := make(map[string]term, len(ids))
	for _, id := range ids {
		t, known := k.terms[id]
		if _, there := terms[id]; !known || !there {
			t.gone = true
		}
		named[id] = t
	}
	k.terms = named
}

// see takes in terms, each unless it has been seen as it is or later.
func (k *knowledge) see(terms map[string]term, now time.Time) {
	for id, t := range terms {
		if old, known := k.terms[id]; !known || old.revision < t.revision {
			t.seen = now
			k.terms[id] = t
		}
	}
}

// write takes in what this client has written.
func (k *knowledge) write(revision int64, terms []fleetlock.Term, begun map[string]time.Duration, now time.Time) {
	if uint64(revision) < k.version {
		return
	}
	k.version, k.ids = uint64(revision), make([]string, 0, len(terms))
	named := make(map[string]term, len(terms))
	for _, t := range terms {
		k.ids = append(k.ids, t.ID)
		named[t.ID] = k.terms[t.ID]
		if length, ok := begun[t.ID]; ok {
			named[t.ID] = term{revision: revision, length: length, seen: now}
		}
	}
	k.terms = named
}

// left is for how long a term may still run.
func (k *knowledge) left(id string, now time.Time) time.Duration {
	t, known := k.terms[id]
	if !known || t.gone {
		return 0
	}
	return max(t.length-now.Sub(t.seen), 0)
}
