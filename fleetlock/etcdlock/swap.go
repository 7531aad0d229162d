package etcdlock

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// A change is what one swap does.
type change struct {
	base   string
	value  value
	leases []clientv3.LeaseID // of the terms that begin
	ended  []string           // the terms that end with it
	calls  atomic.Int32       // by which it may have been made
}

// Swap implements [fleetlock.Register].
func (r *Register) Swap(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
	if seen > math.MaxInt64 {
		return 0, fleetlock.ErrChanged // no revision
	}
	before, err := r.termsAt(ctx, name, seen)
	if err != nil {
		return 0, err
	}
	c := &change{base: r.base(name), value: value{token: next.Token, quiet: next.Quiet, stamp: newStamp(), text: next.Text}}
	revision, err := r.carryOut(ctx, name, c, int64(seen), next.Terms, before)
	if err != nil {
		return 0, err
	}
	for _, id := range c.ended {
		r.leases.put(c.base + id)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(name).write(revision, c.value.terms, c.leases, time.Now())
	return uint64(revision), nil
}

// carryOut commits a change, on other leases if those that it was to begin on have ended: they
// are short, and this process or the cluster may have been slow.
func (r *Register) carryOut(ctx context.Context, name string, c *change, seen int64, terms []fleetlock.Term, before map[string]term) (int64, error) {
	for {
		if err := r.begin(ctx, c, terms, before); err != nil {
			return 0, err
		}
		revision, err := r.commit(ctx, name, c, seen)
		if !errors.Is(err, rpctypes.ErrLeaseNotFound) {
			return revision, err
		}
		for _, t := range terms {
			if t.Length > 0 {
				r.leases.drop(c.base + t.ID)
			}
		}
	}
}

// begin finds a lease for each term that begins, and leaves the others as they were.
func (r *Register) begin(ctx context.Context, c *change, terms []fleetlock.Term, before map[string]term) error {
	c.value.terms, c.leases, c.ended = nil, nil, nil
	named := make(map[string]bool, len(terms))
	for _, t := range terms {
		named[t.ID] = true
		if t.Length <= 0 {
			old := before[t.ID]
			old.id = t.ID
			c.value.terms = append(c.value.terms, old)
			continue
		}
		lease, err := r.leases.get(ctx, c.base+t.ID, t.Length)
		if err != nil {
			return err
		}
		c.value.terms = append(c.value.terms, term{t.ID, t.Length, lease, thisRevision})
		c.leases = append(c.leases, lease)
	}
	for id := range before {
		if !named[id] {
			c.ended = append(c.ended, id)
		}
	}
	return nil
}

// A server lets a transaction have 128 operations. Beside the record that is at most the
// term of a new holder, and those of all who come to the front of the line.
const _ = uint(128 - 1 - 1 - fleetlock.MaxSlots)

// commit puts all if the record is the one that was seen, and returns the revision.
func (r *Register) commit(ctx context.Context, name string, c *change, seen int64) (int64, error) {
	for {
		conditions, puts := r.plan(name, c, seen)
		got, err := hedged(ctx, func(ctx context.Context) (*clientv3.TxnResponse, error) {
			c.calls.Add(1)
			return r.client.Txn(ctx).If(conditions...).Then(puts...).Else(clientv3.OpGet(recordKey(c.base))).Commit()
		})
		if err != nil {
			return 0, err
		}
		if got.Succeeded {
			return got.Header.Revision, nil
		}
		newest := int64(0)
		for _, kv := range got.Responses[0].GetResponseRange().Kvs {
			newest = kv.ModRevision
		}
		switch {
		case newest == seen: // it is a lease that has lost its key
			r.forget(name, c.leases)
		case c.calls.Load() == 1:
			return 0, fleetlock.ErrChanged
		default:
			return r.find(ctx, c, seen)
		}
	}
}

// find returns the revision of a change if it was made. Of several calls one succeeds, and
// the answer of another may come first. By then somebody may have made the next change: so
// it looks at all that were made since the one that was seen.
func (r *Register) find(ctx context.Context, c *change, seen int64) (int64, error) {
	at := clientv3.WithRev(0) // now
	for {
		get := clientv3.OpGet(recordKey(c.base), at)
		got, err := hedged(ctx, func(ctx context.Context) (*clientv3.GetResponse, error) {
			got, err := r.client.Do(ctx, get)
			return got.Get(), err
		})
		if err != nil {
			return 0, err
		}
		if len(got.Kvs) == 0 || got.Kvs[0].ModRevision <= seen {
			return 0, fleetlock.ErrChanged
		}
		kv := got.Kvs[0]
		if v, err := decodeValue(string(kv.Value), kv.ModRevision); err == nil && v.stamp == c.value.stamp {
			return kv.ModRevision, nil
		}
		at = clientv3.WithRev(kv.ModRevision - 1)
	}
}

// plan is what a change depends on, and what it puts: the record, and a key for each lease
// that is not known to have one. A lease that was known to have one may have been revoked,
// or its key deleted.
func (r *Register) plan(name string, c *change, seen int64) (conditions []clientv3.Cmp, puts []clientv3.Op) {
	record := recordKey(c.base)
	conditions = append(conditions, clientv3.Compare(clientv3.ModRevision(record), "=", seen))
	puts = append(puts, clientv3.OpPut(record, c.value.encode()))
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.of(name)
	for _, lease := range c.leases {
		if k.alive[lease] {
			conditions = append(conditions, clientv3.Compare(clientv3.CreateRevision(aliveKey(c.base, lease)), ">", 0))
		} else {
			puts = append(puts, clientv3.OpPut(aliveKey(c.base, lease), "", clientv3.WithLease(lease)))
		}
	}
	return conditions, puts
}

// forget has keys put for leases of which one has none.
func (r *Register) forget(name string, leases []clientv3.LeaseID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, lease := range leases {
		delete(r.of(name).alive, lease)
	}
}
