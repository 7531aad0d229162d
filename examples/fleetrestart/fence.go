package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mosaicstack/fedkit/fleetlock"
)

// A restarter may lose its lock in the middle of a step: it stood still for longer
// than its lease, or an operator has broken the lock. It learns of that, but maybe too
// late for the signal that it is about to send. And a restarter that was killed may
// leave behind a child that has yet to begin. So the fleet does not trust them to know.
// It remembers the highest token that it was shown, and refuses lower ones.

// A refusal says that a token is older than one that the fleet has seen.
type refusal struct{ Token, Seen uint64 }

func (r refusal) Error() string {
	return fmt.Sprintf("token %d is refused, the fleet has seen %d", r.Token, r.Seen)
}

// pass does something to the fleet, unless the token is too old. To compare the tokens
// and to act must be one: the guard between them has no lease, so it is held until it
// is released, however long this process may stand still.
func (f fleet) pass(ctx context.Context, token uint64, do func() error) error {
	guard, err := fleetlock.File(f.path("fence.lock"), fleetlock.NoSync()).Acquire(ctx)
	if err != nil {
		return err
	}
	err = f.show(token)
	if err == nil {
		err = do()
	}
	return errors.Join(err, guard.Release())
}

// show remembers a token. The caller has the guard.
func (f fleet) show(token uint64) error {
	text, err := os.ReadFile(f.path("fence.token"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	seen, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	switch {
	case err != nil && len(text) > 0:
		return err // what was seen is not known, so nobody passes
	case token < seen:
		return refusal{token, seen}
	case token == seen:
		return nil
	}
	return replaceFile(f.path("fence.token"), fmt.Appendln(nil, token))
}

// replaceFile writes a file so that whoever reads it sees the old text or the new one.
func replaceFile(path string, text []byte) error {
	next, err := os.CreateTemp(filepath.Dir(path), "new-*")
	if err != nil {
		return err
	}
	defer os.Remove(next.Name()) // does nothing after the rename
	_, err = next.Write(text)
	if err := errors.Join(err, next.Close()); err != nil {
		return err
	}
	return os.Rename(next.Name(), path)
}
