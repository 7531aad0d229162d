package main

import (
	"context"
	"net/url"
	"os"
	"path/filepath"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"github.com/mosaicstack/fedkit/fleetlock/etcdlock"
)

func onEtcd(ctx context.Context, d durability, end func(func() error)) ([]*contender, error) {
	dir, err := os.MkdirTemp("", "store-bench-")
	if err != nil {
		return nil, err
	}
	end(func() error { return os.RemoveAll(dir) })
	endpoint, err := startEtcd(dir, d, end)
	if err != nil {
		return nil, err
	}
	var registers []*etcdlock.Register
	var mutexes []acquire
	for range 2 {
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, Logger: zap.NewNop()})
		if err != nil {
			return nil, err
		}
		end(client.Close)
		r, err := etcdlock.New(ctx, etcdlock.Config{Client: client})
		if err != nil {
			return nil, err
		}
		registers = append(registers, r)
		session, err := concurrency.NewSession(client, concurrency.WithTTL(int(lease.Seconds())))
		if err != nil {
			return nil, err
		}
		end(session.Close)
		mutex := concurrency.NewMutex(session, "mutex")
		mutexes = append(mutexes, func(ctx context.Context) (func() error, error) {
			return func() error { return mutex.Unlock(ctx) }, mutex.Lock(ctx)
		})
	}
	return []*contender{
		fleet(etcd, registers[0], registers[1]),
		{name: "etcd's concurrency.Mutex", store: etcd, here: mutexes[0], there: mutexes[1]},
	}, nil
}

// startEtcd starts a member that is alone, and listens on sockets in the directory.
func startEtcd(dir string, d durability, end func(func() error)) (endpoint string, err error) {
	cfg := embed.NewConfig()
	cfg.Dir, cfg.LogLevel, cfg.UnsafeNoFsync = filepath.Join(dir, "data"), "panic", d == written
	client, peer := url.URL{Scheme: "unix", Path: filepath.Join(dir, "client")}, url.URL{Scheme: "unix", Path: filepath.Join(dir, "peer")}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.InitialCluster = cfg.Name + "=" + peer.String()
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return "", err
	}
	end(func() error { e.Close(); return nil })
	<-e.Server.ReadyNotify()
	return client.String(), nil
}
