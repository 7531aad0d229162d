package etcdlock

import (
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

func TestLeasesThatAreOverAreNotKeptInMindForEver(t *testing.T) {
	t.Parallel()
	k := newKnowledge()
	for i := range int64(10 * maxAlive) {
		lease := clientv3.LeaseID(1 + i)
		k.write(1+i, []term{{"a", time.Second, lease, thisRevision}}, []clientv3.LeaseID{lease}, time.Now())
		if !k.alive[lease] {
			t.Fatalf("lease %d, which has just been used, is not kept in mind", lease)
		}
	}
	if n := len(k.alive); n > maxAlive+1 {
		t.Errorf("%d leases are kept in mind", n)
	}
}

func TestATermIsCountedFromWhenItWasFirstSeenToBegin(t *testing.T) {
	t.Parallel()
	k, alive := newKnowledge(), map[clientv3.LeaseID]bool{7: true}
	began, first, again := time.Now(), term{"a", time.Minute, 7, 10}, term{"a", time.Minute, 7, 12}
	for _, seen := range []struct {
		name     string
		revision int64
		term     term // that the record then names
		at       time.Duration
		of       term
		left     time.Duration
	}{
		{"seen first", 10, first, 0, first, time.Minute},
		{"seen once more", 11, first, 20 * time.Second, first, 40 * time.Second},
		{"begun again", 12, again, 30 * time.Second, again, time.Minute},
		{"met by a load that was overtaken", 10, first, 40 * time.Second, again, 50 * time.Second},
		{"over for who has seen all of it", 13, again, 2 * time.Minute, again, 0},
	} {
		now := began.Add(seen.at)
		k.meet(seen.revision, uint64(seen.term.begun), []term{seen.term}, alive, now)
		if left := k.left(seen.of, now); left != seen.left {
			t.Errorf("of a term that is %s %v are left, not %v", seen.name, left, seen.left)
		}
	}
	delete(alive, 7)
	if left := k.left(again, began); left != 0 {
		t.Errorf("of a term whose lease is over %v are left", left)
	}
}

func TestATermIsCountedFromWhenItsBeginningWasWatched(t *testing.T) {
	t.Parallel()
	r := &Register{known: make(map[string]*knowledge)}
	v := value{quiet: true, stamp: newStamp(), terms: []term{{"a", time.Minute, 7, thisRevision}}}
	put := &clientv3.Event{Type: clientv3.EventTypePut, Kv: &mvccpb.KeyValue{
		Key: []byte(recordKey(r.base("x"))), Value: []byte(v.encode()), ModRevision: 10,
	}}
	if r.note("x", []*clientv3.Event{put}) {
		t.Error("somebody is told of a change that nobody waits for")
	}
	k, begun := r.of("x"), term{"a", time.Minute, 7, 10}
	now := time.Now().Add(20 * time.Second)
	k.meet(11, 10, []term{begun}, map[clientv3.LeaseID]bool{7: true}, now)
	if left := k.left(begun, now); left > 40*time.Second {
		t.Errorf("of a term of a minute that was seen to begin 20 seconds ago %v are left", left)
	}
}
