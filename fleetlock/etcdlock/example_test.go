package etcdlock_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/etcdlock"
)

// restart restarts a fleet whose machines reach an etcd, unless another one does so.
func restart(ctx context.Context, endpoints []string, stopAndStart func(context.Context) error) error {
	client, err := clientv3.New(clientv3.Config{
		Endpoints:            endpoints,
		DialKeepAliveTime:    6 * time.Second, // or a member that hangs is asked again and
		DialKeepAliveTimeout: time.Second,     // again; servers refuse less than 5 seconds
	})
	if err != nil {
		return err
	}
	defer client.Close()
	register, err := etcdlock.New(ctx, etcdlock.Config{Client: client})
	if err != nil {
		return err
	}
	lock := fleetlock.On(register, "restart", fleetlock.Lease(10*time.Second), fleetlock.Label("deploy 1742"))
	held, err := lock.TryAcquire(ctx)
	if err != nil {
		return err // a *fleetlock.BusyError says who has it
	}
	return errors.Join(stopAndStart(held.Context()), held.Release())
}

// Without a cluster that answers nothing is restarted: an error never grants.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second/10)
	defer cancel()
	err := restart(ctx, []string{"unix:///run/nobody/listens/here"}, func(context.Context) error {
		fmt.Println("restarting")
		return nil
	})
	fmt.Println(err != nil)
	// Output: true
}
