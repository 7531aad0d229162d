//go:build !race

// The race detector makes sync.Pool forget at random, so that these numbers
// hold only without it.

package cursor_test

import (
	"testing"

	"github.com/mosaicstack/fedkit/cursor"
)

func TestATokenCostsOneAllocationEachWay(t *testing.T) {
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			c, b := newCodec(t, cursor.Config{Form: form.form}), tasks(t).Bind(query())
			p := position()
			token := encode(t, c, b, p)
			if n := testing.AllocsPerRun(1000, func() { _, _ = c.Encode(b, p) }); n > 1 {
				t.Errorf("making a token costs %v allocations: one is the token", n)
			}
			if n := testing.AllocsPerRun(1000, func() { _, _ = c.Decode(b, token) }); n > 1 {
				t.Errorf("reading a token costs %v allocations: one is the position", n)
			}
		})
	}
}

func TestARefusalCostsNoAllocation(t *testing.T) {
	c, b := newCodec(t, cursor.Config{}), tasks(t).Bind(query())
	token := encode(t, c, b, position())
	raw := bytesOf(t, token)
	raw[len(raw)-1] ^= 1
	forged := textOf(raw)
	other := tasks(t).Bind(cursor.Query{})
	broken := token + "\n"
	refusals := []struct {
		name string
		call func() error
	}{
		{"malformed", func() error { _, err := c.Decode(b, broken); return err }},
		{"forged", func() error { _, err := c.Decode(b, forged); return err }},
		{"mismatch", func() error { _, err := c.Decode(other, token); return err }},
	}
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			if n := testing.AllocsPerRun(1000, func() { _ = r.call() }); n != 0 {
				t.Errorf("a %s token costs %v allocations", r.name, n)
			}
		})
	}
}

func TestABindingWithoutFiltersCostsNoAllocation(t *testing.T) {
	l, q := tasks(t), query()
	q.Filters = nil
	if n := testing.AllocsPerRun(1000, func() { _ = l.Bind(q) }); n != 0 {
		t.Errorf("binding costs %v allocations", n)
	}
}
