package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/go-redsync/redsync/v4"
	"github.com/go-redsync/redsync/v4/redis/goredis/v9"
	goredis9 "github.com/redis/go-redis/v9"
)

func onRedis(ctx context.Context, d durability, end func(func() error)) ([]*contender, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		fmt.Fprintln(os.Stderr, "store: redis-server is not installed, so redsync is left out")
		return nil, errNotInstalled
	}
	dir, err := os.MkdirTemp("", "store-bench-")
	if err != nil {
		return nil, err
	}
	end(func() error { return os.RemoveAll(dir) })
	socket := filepath.Join(dir, "redis")
	arguments := []string{"--port", "0", "--unixsocket", socket, "--save", "", "--dir", dir}
	if d == synced {
		arguments = append(arguments, "--appendonly", "yes", "--appendfsync", "always")
	}
	server := exec.Command(program, arguments...)
	if err := server.Start(); err != nil {
		return nil, err
	}
	end(func() error {
		_ = server.Process.Kill()
		_ = server.Wait()
		return nil
	})
	client := goredis9.NewClient(&goredis9.Options{Network: "unix", Addr: socket})
	end(client.Close)
	for tries := 0; client.Ping(ctx).Err() != nil; tries++ {
		if tries == 100 {
			return nil, fmt.Errorf("the Redis server does not answer: %w", client.Ping(ctx).Err())
		}
		time.Sleep(50 * time.Millisecond)
	}
	sync := redsync.New(goredis.NewPool(client))
	mutex := func() acquire {
		return func(ctx context.Context) (func() error, error) {
			m := sync.NewMutex("bench", redsync.WithExpiry(lease), redsync.WithTries(1000))
			return func() error { _, err := m.UnlockContext(ctx); return err }, m.LockContext(ctx)
		}
	}
	return []*contender{{name: "redsync, one Redis, its own poll", store: redis, here: mutex(), there: mutex()}}, nil
}
