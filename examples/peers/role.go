package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
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
	addr := c.Addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
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
