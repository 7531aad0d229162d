package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/mosaicstack/fedkit/federation"
)

// drainTime is how long requests in flight may take to finish after the program was
// told to stop. It is longer than the library's own limit for a request, 10 seconds.
const drainTime = 15 * time.Second

// listen opens the address to serve on.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use by another program; choose another address with -addr (port 0: a free one)", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", addr, err)
	}
	return listener, nil
}

// address returns the URL by which this machine reaches the listener.
func address(listener net.Listener) string {
	host := listener.Addr().String()
	if at := listener.Addr().(*net.TCPAddr); at.IP.IsUnspecified() {
		host = fmt.Sprintf("localhost:%d", at.Port)
	}
	return (&url.URL{Scheme: "http", Host: host}).String()
}

// serve answers until ctx ends, then closes the listener and waits for the requests
// in flight.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, logger *slog.Logger) error {
	server, err := federation.NewServer(handler, 0) // with the limits that net/http leaves open
	if err != nil {
		return err
	}
	server.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelWarn)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	logger.Info("stopping; requests in flight may finish, a second signal ends them")
	// ctx has ended, and must not end the requests: they get a time of their own.
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		server.Close()
		return fmt.Errorf("requests were cut off after %s: %w", drainTime, err)
	}
	return nil
}
