//go:build unix

package etcdlock_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

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

func TestARegisterInEtcdPasses(t *testing.T) {
	c := startCluster(t)
	client, err := newClient(c.endpoints)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	open := func() (*etcdlock.Register, error) { return etcdlock.New(ctx, etcdlock.Config{Client: client}) }
	for {
		if _, err := open(); err == nil {
			break
		} else if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
	fleetlocktest.Run(t, func() fleetlock.Register {
		r, err := open()
		if err != nil {
			t.Error(err)
		}
		return r
	})
}
