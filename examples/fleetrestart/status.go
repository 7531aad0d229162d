package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// showStatus prints who has the lock and what runs, as it is at the moment. It takes no
// lock and makes no file.
func showStatus(ctx context.Context, f fleet, lock *fleetlock.Lock, w io.Writer) error {
	info, err := lock.Inspect(ctx)
	if err != nil {
		return err
	}
	names, err := f.names()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "fleet in %s\nlock %s\n", f.dir, lockStatus(info))
	t := newTable(w, "NAME", "PID", "STATE", "TOKEN", "SINCE")
	for _, name := range names {
		t.row(f.statusOf(name)...)
	}
	t.end()
	return nil
}

func lockStatus(info fleetlock.Info) string {
	h := info.Last
	switch {
	case isHeld(info.State):
		h = info.Holders[0]
		return fmt.Sprintf("%s by %s, token %d", info.State, describe(h), h.Token)
	case info.State == fleetlock.StateExpired:
		return fmt.Sprintf("free: left behind by %q (pid %d on %s), token %d", h.Label, h.PID, h.Host, h.Token)
	case h.PID == 0:
		return "free, nobody ever had it"
	case info.Why != "":
		return fmt.Sprintf("free: taken from %q (pid %d on %s), token %d: %s", h.Label, h.PID, h.Host, h.Token, info.Why)
	}
	return fmt.Sprintf("free, last held by %q (pid %d on %s), token %d", h.Label, h.PID, h.Host, h.Token)
}

// statusOf is a row of the table.
func (f fleet) statusOf(name string) []string {
	p, err := f.read(name)
	if err != nil {
		return []string{name, "-", err.Error(), "-", "-"}
	}
	state := "ended"
	switch there, err := p.runs(); {
	case err != nil:
		state = err.Error()
	case there:
		state = "runs"
	}
	return []string{name, pidText(p.PID), state, strconv.FormatUint(p.Token, 10), p.Since.Local().Format(time.DateTime)}
}
