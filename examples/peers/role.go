package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"syscall"
)

// gatewayRole is the first argument of this program as a gateway.
const gatewayRole = "be-gateway"

// beGateway is the life of a gateway, and returns its exit status.
func beGateway() int {
	signal.Ignore(os.Interrupt) // a terminal sends it to all processes; the first one tells this one to end
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	if err := serveGateway(os.Stdin, os.Stdout, logger); err != nil {
		logger.Error("the gateway ends", "err", err)
		return 1
	}
	return 0
}

// serveGateway reads a card, serves, and writes where to stdout. It ends with stdin, and
// so with the process that started it, whatever becomes of that.
func serveGateway(stdin io.Reader, stdout io.Writer, logger *slog.Logger) error {
	var c card
	if err := json.NewDecoder(stdin).Decode(&c); err != nil {
		return err
	}
	ctx := context.Background()
	db, err := openDatabase(ctx, dataOf(c.Name))
	if err != nil {
		return err
	}
	defer db.Close()
	server, err := newGateway(c, db, logger)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, c.Addr)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- server.ServeTLS(listener, "", "") }()
	defer server.Close()
	fmt.Fprintln(stdout, listener.Addr())

	told := make(chan struct{})
	go func() {
		defer close(told)
		io.Copy(io.Discard, stdin)
	}()
	select {
	case err := <-failed:
		return err
	case <-told:
		return nil
	}
}

// listen listens at the address, or for the first time at one that will be free again when
// the gateway comes back from a crash: its port is of those that systems give to nobody
// who takes any.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	var config net.ListenConfig
	if addr != "" {
		return config.Listen(ctx, "tcp", addr)
	}
	for {
		listener, err := config.Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000)))
		if !errors.Is(err, syscall.EADDRINUSE) {
			return listener, err
		}
	}
}
