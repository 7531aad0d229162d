//go:build unix

package etcdlock_test

import (
	"context"
	"fmt"
	"os"
	"testing"

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
	fleetlocktest.Run(t, func() fleetlock.Register {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for {
			r, err := etcdlock.New(ctx, etcdlock.Config{Client: client})
			if err == nil {
				return r
			}
			if ctx.Err() != nil {
				panic(err)
			}
		}
	})
}
