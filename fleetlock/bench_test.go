package fleetlock

import (
	"context"
	"path/filepath"
	"testing"
)

// How this compares with other locks is measured in the module bench.
func BenchmarkAcquireAndRelease(b *testing.B) {
	l := File(filepath.Join(b.TempDir(), "lock"), NoSync())
	b.ReportAllocs()
	for b.Loop() {
		h, err := l.Acquire(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		if err := h.Release(); err != nil {
			b.Fatal(err)
		}
	}
}
