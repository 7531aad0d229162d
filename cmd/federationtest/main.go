// Federationtest tells whether a gateway keeps the wire contract of federation, by what
// it answers over HTTP. See package federation/federationtest for what it asks of the
// gateway, and for what it cannot say.
//
//	federationtest -fixture > fixture.json
//
// prints the data that the gateway has to serve.
//
//	federationtest -url https://gateway.example [-json report.json]
//
// asks the gateway with the bearer tokens of the fixture, and prints a line for each case.
// The flags are:
//
//	-url url
//		the gateway: what stands before /api/federation/v1/
//	-certs directory
//		use client certificates instead of tokens: for a grant with the token conf-all
//		those in conf-all.crt and conf-all.key, in PEM. A grant without files is asked for
//		without a certificate
//	-roots file
//		trust the authorities in this PEM file, and no other
//	-peers names
//		the peers of the gateway that serve the fixture, too, separated by commas
//	-json file
//		write the report to this file as JSON; - is the standard output, in the place of
//		the lines
//	-fixture
//		print the fixture and end
//
// The exit status is 0 if the gateway passes all that it offers, 1 if it fails a case, and
// 2 if it could not be tested.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/mosaicstack/fedkit/federation/federationtest"
)

// The exit statuses.
const (
	passed   = 0
	failed   = 1
	untested = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// arguments are what the command line asks for.
type arguments struct {
	url, certs, roots, peers, json string
	fixture                        bool
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (status int) {
	var a arguments
	flags := flag.NewFlagSet("federationtest", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&a.url, "url", "", "the gateway at this `url`")
	flags.StringVar(&a.certs, "certs", "", "client certificates in this `directory`, by the tokens of their grants")
	flags.StringVar(&a.roots, "roots", "", "trust the authorities in this PEM `file`")
	flags.StringVar(&a.peers, "peers", "", "`names` of peers that serve the fixture, too, separated by commas")
	flags.StringVar(&a.json, "json", "", "write the report to this `file` as JSON; - is the standard output")
	flags.BoolVar(&a.fixture, "fixture", false, "print the fixture and end")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return passed
	case err != nil:
		return untested
	case flags.NArg() > 0 || (a.url == "") != a.fixture:
		fmt.Fprintln(stderr, "federationtest takes either -url or -fixture, and no arguments")
		flags.Usage()
		return untested
	}
	if a.fixture {
		if _, err := io.WriteString(stdout, federationtest.Fixture()); err != nil {
			return untested
		}
		return passed
	}
	report, err := a.check(ctx)
	if err == nil {
		err = a.write(report, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return untested
	}
	if report.Err() != nil {
		return failed
	}
	return passed
}

// check tests the gateway.
func (a arguments) check(ctx context.Context) (federationtest.Report, error) {
	send, err := a.sender()
	if err != nil {
		return federationtest.Report{}, err
	}
	g := federationtest.Gateway{URL: a.url, Do: send}
	if a.peers != "" {
		g.Peers = strings.Split(a.peers, ",")
	}
	report, err := federationtest.Check(ctx, g)
	if err == nil {
		err = ctx.Err() // what an interrupt made fail says nothing
	}
	return report, err
}

// write writes the report where it was asked for.
func (a arguments) write(report federationtest.Report, stdout io.Writer) error {
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	switch a.json {
	case "-":
		_, err = stdout.Write(text)
		return err
	case "":
	default:
		if err := os.WriteFile(a.json, text, 0o666); err != nil {
			return err
		}
	}
	return report.WriteText(stdout)
}
