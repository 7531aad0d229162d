//go:build unix

package etcdlock_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/etcdlock"
	"github.com/mosaicstack/fedkit/fleetlock/fleetlocktest"
	"github.com/mosaicstack/fedkit/fleetlock/internal/contest"
)

func TestMain(m *testing.M) {
	if os.Getenv(memberVariable) != "" {
		fmt.Fprintln(os.Stderr, "a member of a test's cluster:", beMember())
		os.Exit(1)
	}
	contest.Main(contender)
	os.Exit(m.Run())
}

// openCluster starts a cluster and returns a client of it.
func openCluster(t *testing.T) *clientv3.Client {
	t.Helper()
	client, err := newClient(startCluster(t).endpoints)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// open returns a register once the cluster answers: while it elects a leader it does not.
func open(t *testing.T, client *clientv3.Client) *etcdlock.Register {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		r, err := etcdlock.New(ctx, etcdlock.Config{Client: client})
		if err == nil {
			return r
		}
		if ctx.Err() != nil {
			panic(err) // the goroutine may be one that cannot end the test
		}
	}
}

func TestARegisterInEtcdPasses(t *testing.T) {
	client := openCluster(t)
	fleetlocktest.Run(t, func() fleetlock.Register { return open(t, client) })
}

// An entry of etcd's log is what costs: it goes to a majority of the members, and to their
// disks.
func TestAHoldAndItsReleaseCostOneEntryOfTheLogEach(t *testing.T) {
	t.Parallel()
	client := openCluster(t)
	lock := fleetlock.On(open(t, client), "a", fleetlock.Lease(time.Minute))
	now := func() (revision, keys int64) {
		got, err := client.Get(t.Context(), "fleetlock/", clientv3.WithPrefix(), clientv3.WithCountOnly())
		if err != nil {
			t.Fatal(err)
		}
		return got.Header.Revision, got.Count
	}
	hold := func() {
		h, err := lock.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Release(); err != nil {
			t.Fatal(err)
		}
	}
	hold()
	const holds = 10
	revision, keys := now()
	for range holds {
		hold()
	}
	later, more := now()
	if later-revision != 2*holds || more != keys {
		t.Errorf("%d holds have cost %d entries, and left %d keys more", holds, later-revision, more-keys)
	}
}

func TestATermLastsItsLengthOnALeaseThatIsUsedAgain(t *testing.T) {
	t.Parallel()
	client := openCluster(t)
	here, there := open(t, client), open(t, client)
	const length = time.Second // the lease has two seconds
	term := fleetlock.Term{ID: "a", Length: length}
	swap := func(name string, seen uint64, terms ...fleetlock.Term) uint64 {
		t.Helper()
		version, err := here.Swap(t.Context(), name, seen, fleetlock.Record{Token: 1, Text: `{}`, Quiet: true, Terms: terms})
		if err != nil {
			t.Fatal(err)
		}
		return version
	}
	idle := swap("one", swap("one", 0, term))
	time.Sleep(1800 * time.Millisecond)
	for _, round := range []struct {
		name string
		seen uint64
	}{{"one", idle}, {"another", 0}} {
		began := time.Now() // before the term
		version := swap(round.name, round.seen, term)
		for {
			got, err := there.Load(t.Context(), round.name)
			took := time.Since(began)
			if err != nil {
				t.Fatal(err)
			}
			if took > length {
				break
			}
			if len(got.Terms) != 1 || got.Terms[0].Left == 0 {
				t.Fatalf("a term of %v of the lock %q is over after %v: %v", length, round.name, took, got.Terms)
			}
			time.Sleep(20 * time.Millisecond)
		}
		swap(round.name, version)
	}
}
