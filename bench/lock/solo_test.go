//go:build unix

package main

import (
	"context"
	"path/filepath"
	"testing"
)

// BenchmarkUncontended is an acquisition and release that nobody else wants.
func BenchmarkUncontended(b *testing.B) {
	for _, c := range contenders {
		b.Run(c.name, func(b *testing.B) {
			s, err := c.join(filepath.Join(b.TempDir(), "lock"))()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := s.lock(context.Background()); err != nil {
					b.Fatal(err)
				}
				if err := s.unlock(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
