//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// A job is what a worker is started for: a process that runs this program once more,
// and does to one lock what it is told.
type job struct {
	Contender string
	Path      string
	Board     string `json:",omitempty"` // for verbCompete
	Seats     int
}

// An order is a line that a worker reads, a report is one that it writes.
type order struct {
	Verb string
	For  time.Duration `json:",omitempty"`
}

type report struct {
	Verb   string
	At     int64   `json:",omitempty"` // when it happened, see now
	Each   int64   `json:",omitempty"` // of verbSolo: nanoseconds for each acquisition and release
	Shares []int64 `json:",omitempty"` // of verbCompete: acquisitions of each seat
	Err    string  `json:",omitempty"`
}

// What a worker does, with its first seat if it is not all that compete, and the reports
// of that.
const (
	verbTake    = "take" // report "taking", acquire, report "take"
	verbGive    = "give" // release
	verbSolo    = "solo" // acquire and release for a while
	verbCompete = "compete"

	verbReady  = "ready" // the first report
	verbTaking = "taking"
)

// now is by the wall clock, the one that processes have in common. Should somebody set
// it, one sample is wrong, which does nothing to a median.
func now() int64 { return time.Now().UnixNano() }

// jobVariable is the variable of the environment that makes a process a worker.
const jobVariable = "FEDKIT_LOCK_BENCH_JOB"

// workIfTold never returns in a process that is a worker.
func workIfTold() {
	text, told := os.LookupEnv(jobVariable)
	if !told {
		return
	}
	if err := work(text, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "lock: worker:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func work(text string, orders io.Reader, reports io.Writer) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	d, err := newDesk(j)
	if err != nil {
		return err
	}
	in, out := json.NewDecoder(orders), json.NewEncoder(reports)
	if err := out.Encode(report{Verb: verbReady}); err != nil {
		return err
	}
	for {
		var o order
		if err := in.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		r, err := d.obey(o, out)
		if err != nil {
			r.Err = err.Error()
		}
		r.Verb = o.Verb
		if err := out.Encode(r); err != nil {
			return err
		}
	}
}
