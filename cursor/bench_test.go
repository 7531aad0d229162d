package cursor_test

import (
	"testing"

	"github.com/mosaicstack/fedkit/cursor"
)

// Each of these makes and reads one token of a (time, uuid) position.

func BenchmarkSealOpen(b *testing.B)   { benchmarkTrip(b, cursor.Sealed) }
func BenchmarkSignVerify(b *testing.B) { benchmarkTrip(b, cursor.Signed) }
func BenchmarkPlain(b *testing.B)      { benchmarkTrip(b, cursor.Plain) }

func benchmarkTrip(b *testing.B, form cursor.Form) {
	c, binding, p := newCodec(b, cursor.Config{Form: form}), tasks(b).Bind(query()), position()
	b.ReportAllocs()
	for b.Loop() {
		token, err := c.Encode(binding, p)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Decode(binding, token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBind(b *testing.B) {
	none := query()
	none.Filters = nil
	for name, q := range map[string]cursor.Query{"no filters": none, "two filters": query()} {
		b.Run(name, func(b *testing.B) {
			l := tasks(b)
			b.ReportAllocs()
			for b.Loop() {
				_ = l.Bind(q)
			}
		})
	}
}

// BenchmarkRefuseForged is what a token costs that nobody made here.
func BenchmarkRefuseForged(b *testing.B) {
	c, binding := newCodec(b, cursor.Config{}), tasks(b).Bind(query())
	raw := bytesOf(b, encode(b, c, binding, position()))
	raw[len(raw)-1] ^= 1
	forged := textOf(raw)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Decode(binding, forged); err == nil {
			b.Fatal("the forged token is accepted")
		}
	}
}
