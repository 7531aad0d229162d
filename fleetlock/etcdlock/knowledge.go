package etcdlock

import (
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A knowledge is what this client has seen of a name.
type knowledge struct {
	revision int64 // of the store, as of which all but sights is
	version  uint64
	terms    map[string]term
	alive    map[clientv3.LeaseID]bool // the leases that have a key
	sights   map[string]sight          // of terms, also of later versions
}

// A sight is when a term was seen first: it began before.
type sight struct {
	begun int64
	at    time.Time
}

func newKnowledge() *knowledge {
	return &knowledge{alive: make(map[clientv3.LeaseID]bool), sights: make(map[string]sight)}
}

// meet takes in the record and the leases that have a key, and reports whether that is no
// older than what was known: two loads may overtake each other.
func (k *knowledge) meet(revision int64, version uint64, terms []term, alive map[clientv3.LeaseID]bool, now time.Time) bool {
	if revision < k.revision {
		return false
	}
	k.alive = alive
	k.turn(revision, version, terms, now)
	return true
}

// maxAlive is how many leases are kept in mind of a name that is not loaded any more, since
// nobody disputes it: each load brings the true ones.
const maxAlive = 1000

// write takes in what this client has written, and that leases have a key.
func (k *knowledge) write(revision int64, terms []term, leases []clientv3.LeaseID, now time.Time) {
	if revision < k.revision {
		return
	}
	if len(k.alive) > maxAlive {
		clear(k.alive) // of which most are over; who counts on none puts its key
	}
	for _, id := range leases {
		k.alive[id] = true
	}
	for i := range terms {
		if terms[i].begun == thisRevision {
			terms[i].begun = revision
		}
	}
	k.turn(revision, uint64(revision), terms, now)
}

func (k *knowledge) turn(revision int64, version uint64, terms []term, now time.Time) {
	k.see(terms, now)
	k.revision, k.version, k.terms = revision, version, make(map[string]term, len(terms))
	sights := make(map[string]sight, len(terms))
	for _, t := range terms {
		k.terms[t.id], sights[t.id] = t, k.sights[t.id]
	}
	k.sights = sights
}

// see takes in terms, each unless it has been seen as it is or later.
func (k *knowledge) see(terms []term, now time.Time) {
	for _, t := range terms {
		if k.sights[t.id].begun < t.begun {
			k.sights[t.id] = sight{t.begun, now}
		}
	}
}

// left is for how long a term may still run.
func (k *knowledge) left(t term, now time.Time) time.Duration {
	if !k.alive[t.lease] {
		return 0
	}
	left := t.length
	if seen := k.sights[t.id]; seen.begun == t.begun {
		left -= now.Sub(seen.at)
	}
	return max(left, 0)
}
