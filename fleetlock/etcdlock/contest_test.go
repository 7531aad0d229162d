//go:build unix

package etcdlock_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/etcdlock"
	"github.com/mosaicstack/fedkit/fleetlock/internal/contest"
)

func contender(endpoints string) (fleetlock.Register, error) {
	client, err := newClient(strings.Split(endpoints, ","))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return etcdlock.New(ctx, etcdlock.Config{Client: client})
}

// patience is the time after which a test calls something stuck.
const patience = time.Minute

// rounds is how often each misfortune strikes.
func rounds() int {
	if os.Getenv("FEDKIT_TORTURE") == "1" {
		return 15
	}
	return 1
}

func TestEightProcessesContendWhileMembersAndHoldersAreMaltreated(t *testing.T) {
	t.Parallel()
	const lease = 2 * time.Second
	cluster := startCluster(t)
	client, err := newClient(cluster.endpoints)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c := contest.Start(t, 8, strings.Join(cluster.endpoints, ","), lease)
	grants := func(n int) { t.Helper(); c.AwaitGrants(t, n, patience) }
	grants(8)
	for range rounds() {
		c.KillHolder(t)
		grants(3)

		m := cluster.leader(t, client)
		m.kill(t)
		grants(3)
		m.start(t)
		cluster.await(t)

		m = cluster.leader(t, client)
		m.pause(t)
		c.KillHolder(t) // whoever is granted it next, maybe before the election
		grants(3)
		m.resume(t)
		cluster.await(t)

		m = cluster.leader(t, client)
		m.cut(t)
		grants(3)
		c.PauseHolder(t)
		m.mend(t)
		cluster.await(t)
	}
	report := c.End(t)
	t.Logf("etcd, a lease of %v: %v", lease, report)
	for _, wrong := range report.Wrongs {
		t.Error(wrong)
	}
}

// leader returns the member that leads.
func (c *cluster) leader(tb testing.TB, client *clientv3.Client) *member {
	tb.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		for i, endpoint := range c.endpoints {
			ctx, cancel := context.WithTimeout(tb.Context(), 500*time.Millisecond)
			status, err := client.Status(ctx, endpoint)
			cancel()
			if err == nil && status.Leader == status.Header.MemberId {
				return c.members[i]
			}
		}
	}
	tb.Fatal("the cluster has no leader")
	return nil
}

// await returns when every member answers with the majority, so that the next misfortune
// does not leave the cluster without one.
func (c *cluster) await(tb testing.TB) {
	tb.Helper()
	for _, endpoint := range c.endpoints {
		client, err := newClient([]string{endpoint})
		if err != nil {
			tb.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(tb.Context(), patience)
		_, err = client.Get(ctx, "a")
		cancel()
		if err := errors.Join(err, client.Close()); err != nil {
			tb.Fatalf("the member at %s does not answer: %v", endpoint, err)
		}
	}
}

// cut parts a member from the others, in both directions. Clients still reach it.
func (m *member) cut(tb testing.TB)  { m.command(tb, "cut") }
func (m *member) mend(tb testing.TB) { m.command(tb, "mend") }
