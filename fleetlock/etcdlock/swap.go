package etcdlock

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// A change is what one swap does.
type change struct {
	base   string
	value  value
	leases []clientv3.LeaseID // of the terms that begin
	ended  []string           // the terms that end with it
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
	if err := r.begin(ctx, c, next.Terms, before); err != nil {
		return 0, err
	}
	revision, err := r.commit(ctx, c, int64(seen), r.puts(name, c))
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

// begin finds a lease for each term that begins, and leaves the others as they were.
func (r *Register) begin(ctx context.Context, c *change, terms []fleetlock.Term, before map[string]term) error {
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

// puts is what a change writes: the record, and a key for each lease that is not known to
// have one. The pool has just seen to it that they live.
func (r *Register) puts(name string, c *change) []clientv3.Op {
	puts := []clientv3.Op{clientv3.OpPut(recordKey(c.base), c.value.encode())}
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.of(name)
	for _, lease := range c.leases {
		if !k.alive[lease] {
			puts = append(puts, clientv3.OpPut(aliveKey(c.base, lease), "", clientv3.WithLease(lease)))
		}
	}
	return puts
}

// commit puts all if the record is the one that was seen, and returns the revision.
func (r *Register) commit(ctx context.Context, c *change, seen int64, puts []clientv3.Op) (int64, error) {
	unchanged := clientv3.Compare(clientv3.ModRevision(recordKey(c.base)), "=", seen)
	var calls atomic.Int32
	got, err := hedged(ctx, func(ctx context.Context) (*clientv3.TxnResponse, error) {
		calls.Add(1)
		return r.client.Txn(ctx).If(unchanged).Then(puts...).Commit()
	})
	switch {
	case err != nil:
		return 0, err
	case got.Succeeded:
		return got.Header.Revision, nil
	case calls.Load() == 1:
		return 0, fleetlock.ErrChanged
	}
	return r.find(ctx, c)
}

// find returns the revision of a change if that is what the register holds. Of several
// calls one succeeds, and the answer of another may come first.
func (r *Register) find(ctx context.Context, c *change) (int64, error) {
	got, err := hedged(ctx, func(ctx context.Context) (*clientv3.GetResponse, error) {
		return r.client.Get(ctx, recordKey(c.base))
	})
	if err != nil {
		return 0, err
	}
	for _, kv := range got.Kvs {
		if v, err := decodeValue(string(kv.Value), kv.ModRevision); err == nil && v.stamp == c.value.stamp {
			return kv.ModRevision, nil
		}
	}
	return 0, fleetlock.ErrChanged
}
