//go:build unix

package etcdlock_test

import (
	"fmt"
	"path"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mosaicstack/fedkit/fleetlock"
)

func TestTermsOnLeasesOfAllKinds(t *testing.T) {
	t.Parallel()
	client := openCluster(t)
	for _, test := range []struct {
		name  string
		holds func(t *testing.T, client *clientv3.Client)
	}{
		{"a term runs on a lease whose key was deleted", func(t *testing.T, client *clientv3.Client) {
			runsAfter(t, client, "deleted", func(key string, _ clientv3.LeaseID) error {
				_, err := client.Delete(t.Context(), key)
				return err
			})
		}},
		{"a term runs on a lease that has just been revoked", func(t *testing.T, client *clientv3.Client) {
			runsAfter(t, client, "revoked", func(_ string, lease clientv3.LeaseID) error {
				_, err := client.Revoke(t.Context(), lease)
				return err
			})
		}},
		{"a holder and all who are next begin their terms at once", manyBegin},
		{"the keys of a lease do not pile up", keysDoNotPileUp},
	} {
		t.Run(test.name, func(t *testing.T) { test.holds(t, client) })
	}
}

// runsAfter loses the key of a lease behind the back of the client that uses it again.
func runsAfter(t *testing.T, client *clientv3.Client, name string, lose func(key string, lease clientv3.LeaseID) error) {
	here, there := open(t, client), open(t, client)
	next := fleetlock.Record{Token: 1, Text: `{}`, Terms: []fleetlock.Term{{ID: "a", Length: time.Minute}}}
	version, err := here.Swap(t.Context(), name, 0, next)
	if err != nil {
		t.Fatal(err)
	}
	keys := aliveKeys(t, client, name)
	if len(keys) != 1 {
		t.Fatalf("one term has %d keys", len(keys))
	}
	for key, lease := range keys {
		if err := lose(key, lease); err != nil {
			t.Fatal(err)
		}
	}
	if _, err = here.Swap(t.Context(), name, version, next); err != nil {
		t.Fatal(err)
	}
	got, err := there.Load(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Terms) != 1 || got.Terms[0].Left == 0 {
		t.Errorf("a term that has just begun is over: %v", got.Terms)
	}
}

func aliveKeys(t *testing.T, client *clientv3.Client, name string) map[string]clientv3.LeaseID {
	t.Helper()
	got, err := client.Get(t.Context(), "fleetlock/"+name+"/alive/", clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	keys := make(map[string]clientv3.LeaseID)
	for _, kv := range got.Kvs {
		keys[string(kv.Key)] = clientv3.LeaseID(kv.Lease)
	}
	return keys
}

func manyBegin(t *testing.T, client *clientv3.Client) {
	here, there := open(t, client), open(t, client)
	next := fleetlock.Record{Token: 1, Text: `{}`}
	for i := range 1 + fleetlock.MaxSlots {
		next.Terms = append(next.Terms, fleetlock.Term{ID: fmt.Sprint("a", i), Length: time.Minute})
	}
	version, err := here.Swap(t.Context(), "many", 0, next)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := here.Swap(t.Context(), "many", version, next); err != nil {
		t.Errorf("when they begin again: %v", err)
	}
	got, err := there.Load(t.Context(), "many")
	if err != nil {
		t.Fatal(err)
	}
	for _, term := range got.Terms {
		if term.Left == 0 {
			t.Errorf("of %d terms that have begun, %s is over", len(next.Terms), term.ID)
		}
	}
}

// A lease that is used over and over never ends, nor does a key of it.
func keysDoNotPileUp(t *testing.T, client *clientv3.Client) {
	register, keys := open(t, client), make(map[string]int)
	for i := range 250 {
		name := fmt.Sprint("user", i)
		h, err := fleetlock.On(register, name, fleetlock.Lease(time.Minute)).Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Release(); err != nil {
			t.Fatal(err)
		}
		for key := range aliveKeys(t, client, name) {
			keys[path.Base(key)]++
		}
	}
	for lease, n := range keys {
		if n > 100 {
			t.Errorf("the lease %s has %d keys", lease, n)
		}
	}
}
