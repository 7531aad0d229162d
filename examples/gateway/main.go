// Gateway is a federation gateway to try out and to read: it serves the standard
// resources tasks, notes and memory to the bearer tokens of demo grants.
//
//	go run ./examples/gateway
//
// fills an SQLite database in memory with demo data, and prints its address, the
// tokens, and curl commands to paste. It leaves nothing behind.
//
// Read gateway.go first: it is all that a host has to write to serve its rows. The
// other files are what a host has already: tokens.go its way to tell who asks,
// database.go, sqlite.go and postgres.go its database, server.go its HTTP server.
//
// The flags are:
//
//	-addr host:port
//		where to listen; port 0 takes a free one (default 127.0.0.1:8080)
//	-fixture file
//		fill the database with this JSON file instead of the built-in data
//	-db url
//		serve a Postgres database instead, out of a schema fedkit_demo: it is made and
//		filled if it is not there, served as it is if it is, and not touched if
//		another program made it
//	-reset
//		with -db: drop that schema and fill it again
//
// Cursors are sealed with a random key, so they end with the program. A key in
// FEDKIT_CURSOR_KEY, 32 bytes or more in hexadecimal, keeps them good.
//
// SIGINT or SIGTERM lets the requests in flight finish and ends the program with 0;
// a second one ends it at once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	switch err := run(untilSignal(), os.Args[1:], os.Stdout, os.Stderr); {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

// untilSignal returns a context that the first SIGINT or SIGTERM ends; the second one
// ends the program.
func untilSignal() context.Context {
	ctx, stop := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		stop()
		<-signals
		os.Exit(1)
	}()
	return ctx
}

// run is the program: it serves until ctx ends, and then drains. The banner goes to
// stdout, the log to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	asked, err := parseArguments(args, stderr)
	if err != nil {
		return err
	}
	cursors, err := newCursors(os.Getenv("FEDKIT_CURSOR_KEY"))
	if err != nil {
		return err
	}
	// Listening first: a program that cannot serve must not touch the database.
	listener, err := listen(ctx, asked.addr)
	if err != nil {
		return err
	}
	defer listener.Close()

	logger := slog.New(slog.NewTextHandler(stderr, nil))
	db, err := openDatabase(ctx, asked)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	defer db.close()
	grants, err := readGrants(ctx, db, logger)
	if err != nil {
		return unlessStopped(ctx, err)
	}

	g := gateway{db: db, grants: grants, cursors: cursors}
	handler, err := g.handler(logger)
	if err != nil {
		return err
	}
	if err := g.welcome(stdout, address(listener)); err != nil {
		return err
	}
	return serve(ctx, listener, handler, logger)
}

// unlessStopped forgives whatever went wrong because the program was told to stop
// while it started.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
