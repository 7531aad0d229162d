// Peers shows one list over three gateways, and what becomes of it when one of them dies.
//
//	go run ./examples/peers
//
// starts three gateways, each a process with tasks of its own: home, and its peers east and
// west. A reader asks home for the tasks of all, page by page, and sees of each row where it
// is from. West is killed and comes back meanwhile. The program prints what happens and
// ends; it leaves nothing behind.
//
//	go run ./examples/peers -serve
//
// shows the same list as a web page. Kill a gateway with kill -9 and its number, which is
// printed, and load the page again: it says what is offline. The gateway comes back by
// itself.
//
// Read gateway.go first: what a host wires together, newFanOut above all. listing.go is a
// client on the command line, page.go one that makes HTML. card.go and process.go are what
// it takes to have three gateways on one machine.
//
// The flags are:
//
//	-serve
//		serve the page until Ctrl-C
//	-addr host:port
//		with -serve: where; port 0 takes a free one (default 127.0.0.1:8080). The page
//		asks for no password: keep it on this machine
//	-rest duration
//		with -serve: how long a gateway that was killed stays away (default 10s)
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == gatewayRole {
		os.Exit(beGateway())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// errUsage says that the command line makes no sense, and that the user has been told so.
var errUsage = errors.New("wrong command line")

// run is the program, until it is done or ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.SetOutput(stderr)
	asked := flags.Bool("serve", false, "serve the list as a web page until Ctrl-C")
	addr := flags.String("addr", "127.0.0.1:8080", "with -serve: serve at `host:port`; port 0 takes a free one")
	rest := flags.Duration("rest", 10*time.Second, "with -serve: how long a gateway that was killed stays away")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		return errUsage
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "unexpected argument %q\n", flags.Arg(0))
		flags.Usage()
		return errUsage
	}
	say := log.New(stdout, "", 0)
	if *asked {
		return serve(ctx, *addr, *rest, say)
	}
	return tell(ctx, say)
}
