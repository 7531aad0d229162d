package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"text/tabwriter"
)

// welcome tells a newcomer what there is and what to try.
func (g gateway) welcome(w io.Writer, address string) error {
	// A handler of its own asks for the examples: they are no traffic for the log.
	handler, err := g.handler(slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "fedkit gateway at %s\n", address)
	fmt.Fprintf(&text, "with %s\n\n", g.db.about)
	writeGrants(&text, g.grants)
	for _, e := range examples(handler, g.grants) {
		fmt.Fprintf(&text, "\n%s:\n%s", e.title, e.curl(address))
	}
	fmt.Fprintf(&text, "\nCtrl-C stops the gateway.\n")
	_, err = text.WriteTo(w)
	return err
}

// writeGrants writes the table of tokens.
func writeGrants(w io.Writer, grants []grant) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer table.Flush()
	fmt.Fprintln(table, "TOKEN\tPEER\tSUBJECT\tSTATUS\tMAX ROWS\tRESOURCES")
	for _, g := range grants {
		rows, resources := fmt.Sprint(g.Scope.MaxRows()), strings.Join(g.Scope.Resources(), " ")
		if g.Scope.IsZero() {
			rows, resources = "-", "(invalid scope)"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%8s\t%s\n",
			visible(g.token), visible(g.Peer), visible(g.Subject), g.status, rows, resources)
	}
}

// visible returns text from a fixture as it is, unless it has something in it that a
// terminal would not show, or obey.
func visible(text string) string {
	if quoted := strconv.Quote(text); quoted != `"`+text+`"` {
		return quoted
	}
	return text
}
