//go:build unix

package etcdlock_test

import (
	"context"
	"sync/atomic"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// An overtaken has the first change made and keeps its answer back. The call that is then
// made in its place comes after somebody else's change.
type overtaken struct {
	clientv3.KV
	calls    atomic.Int32
	made     chan struct{}
	overtake func()
}

func (o *overtaken) Txn(ctx context.Context) clientv3.Txn {
	return overtakenTxn{Txn: o.KV.Txn(ctx), ctx: ctx, kv: o}
}

type overtakenTxn struct {
	clientv3.Txn
	ctx     context.Context
	kv      *overtaken
	changes bool
}

func (t overtakenTxn) If(all ...clientv3.Cmp) clientv3.Txn {
	t.Txn, t.changes = t.Txn.If(all...), true
	return t
}

func (t overtakenTxn) Then(all ...clientv3.Op) clientv3.Txn {
	t.Txn = t.Txn.Then(all...)
	return t
}

func (t overtakenTxn) Else(all ...clientv3.Op) clientv3.Txn {
	t.Txn = t.Txn.Else(all...)
	return t
}

func (t overtakenTxn) Commit() (*clientv3.TxnResponse, error) {
	if !t.changes { // it reads
		return t.Txn.Commit()
	}
	switch t.kv.calls.Add(1) {
	case 1:
		_, err := t.Txn.Commit()
		close(t.kv.made) // also if another call was faster and this one was given up
		if err != nil {
			return nil, err
		}
		<-t.ctx.Done()
		return nil, t.ctx.Err()
	case 2:
		<-t.kv.made
		t.kv.overtake()
	}
	return t.Txn.Commit()
}

func TestASwapThatWasMadeIsNoRefusalAfterTheNextOne(t *testing.T) {
	t.Parallel()
	client := openCluster(t)
	there := open(t, client)
	slow, err := newClient(client.Endpoints())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	here := open(t, slow)
	first, err := there.Swap(t.Context(), "a", 0, fleetlock.Record{Token: 1, Text: `{}`})
	if err != nil {
		t.Fatal(err)
	}
	last := uint64(0)
	slow.KV = &overtaken{KV: slow.KV, made: make(chan struct{}), overtake: func() {
		got, err := there.Load(t.Context(), "a")
		if err == nil {
			last, err = there.Swap(t.Context(), "a", got.Version, fleetlock.Record{Token: 3, Text: `{}`})
		}
		if err != nil {
			t.Error(err)
		}
	}}
	second, err := here.Swap(t.Context(), "a", first, fleetlock.Record{Token: 2, Text: `{}`})
	if err != nil || second <= first || second >= last {
		t.Errorf("between versions %d and %d a swap was made as version %d, and says %v", first, last, second, err)
	}
}
