package main

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"time"
)

// serve serves the page until ctx ends, and keeps the gateways alive.
func serve(ctx context.Context, addr string, rest time.Duration, say *log.Logger) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	t, err := startTrio(ctx)
	if err != nil {
		return err
	}
	defer t.stop()

	server := &http.Server{
		Handler:           newPage(t.client),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, // a cursor is part of an address
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	defer server.Close()

	t.describe(say)
	say.Printf("\nOne list of their tasks is at http://%s/\n", listener.Addr())
	say.Printf("Kill one with kill -9 and its pid, and load the page again: it is back %s later.", rest)
	say.Print("Ctrl-C ends all.")
	revived := make(chan struct{})
	alive, stopReviving := context.WithCancel(ctx)
	go func() {
		defer close(revived)
		t.revive(alive, rest, say)
	}()
	defer func() { stopReviving(); <-revived }() // before the gateways are stopped
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
