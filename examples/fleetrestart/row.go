package main

import (
	"io"
	"time"
)

// A row is what the restart did to one process.
type row struct {
	name   string
	before int // pids; zero: none
	after  int
	state  string
	took   time.Duration

	// blocked says that the process was not stopped, or may not have been.
	blocked bool
}

// stuck notes that the process was not stopped, and returns why.
func (r *row) stuck(err error) error {
	r.state, r.after, r.blocked = "not stopped", r.before, true
	return err
}

func (r *restart) table(w io.Writer) {
	t := newTable(w, "NAME", "PID BEFORE", "PID AFTER", "STATE", "TOOK")
	for _, row := range r.rows {
		t.row(row.name, pidText(row.before), pidText(row.after), row.state, brief(row.took))
	}
	t.end()
}
