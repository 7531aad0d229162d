package main

import (
	"fmt"

	"github.com/mosaicstack/fedkit/bench/internal/figures"
)

// machine describes what everything was measured on.
func (b *bench) machine() string {
	return fmt.Sprintf("%s; Postgres %s with shared_buffers of %s, the client on the same machine", figures.Machine(), b.version, b.buffers)
}
