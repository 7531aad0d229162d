package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// arguments are what the command line asks for.
type arguments struct {
	addr    string
	fixture string // a file, or empty: the built-in data
	db      string // a Postgres URL, or empty: SQLite in memory
	reset   bool
}

// errUsage says that the command line makes no sense, and that the user has been
// told so.
var errUsage = errors.New("wrong command line")

// parseArguments reads the command line, and explains to w what is wrong with it.
func parseArguments(args []string, w io.Writer) (arguments, error) {
	var a arguments
	flags := flag.NewFlagSet("gateway", flag.ContinueOnError)
	flags.SetOutput(w)
	flags.StringVar(&a.addr, "addr", "127.0.0.1:8080", "listen on `host:port`; port 0 takes a free one")
	flags.StringVar(&a.fixture, "fixture", "", "fill the database with this JSON `file` instead of the built-in data")
	flags.StringVar(&a.db, "db", "", "serve the Postgres database at this `url`, out of a schema "+demoSchema+", instead of SQLite")
	flags.BoolVar(&a.reset, "reset", false, "with -db: drop that schema and fill it again")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return a, err
	case err != nil:
		return a, errUsage
	}
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for _, mistake := range []struct {
		made bool
		text string
	}{
		{flags.NArg() > 0, fmt.Sprintf("unexpected argument %q", flags.Arg(0))},
		{given["db"] && a.db == "", "-db needs the URL of a Postgres database"},
		{given["fixture"] && a.fixture == "", "-fixture needs a file"},
		{a.reset && a.db == "", "-reset is for -db: the SQLite database is new at every start"},
	} {
		if mistake.made {
			fmt.Fprintln(w, mistake.text)
			flags.Usage()
			return a, errUsage
		}
	}
	return a, nil
}
