package main

import (
	"context"
	"io"
	"testing"
)

func TestAnInterruptBeforeTheWaitIsToldAsOne(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancelCause(t.Context())
	interrupt(errInterrupted)
	for name, args := range map[string][]string{
		"while opening Postgres":    {"-register", "postgres://127.0.0.1:1/"},
		"while opening etcd":        {"-register", "etcd://127.0.0.1:1"},
		"while looking at the lock": {"-status"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := run(ctx, append(args, "-dir", t.TempDir()), io.Discard, io.Discard)
			if code := exitCode(err); code != exitInterrupted {
				t.Errorf("an interrupt %s ends the program with %d, want %d: %v", name, code, exitInterrupted, err)
			}
		})
	}
}
