package cursor_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/cursor"
)

func TestALongTokenIsRefusedWithoutAnyAllocation(t *testing.T) {
	huge := strings.Repeat("A", 10<<20)
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			c, b := newCodec(t, cursor.Config{Form: form.form}), tasks(t).Bind(query())
			mustRefuse(t, c, b, huge, cursor.ErrTooLong)
			if n := testing.AllocsPerRun(100, func() { _, _ = c.Decode(b, huge) }); n != 0 {
				t.Errorf("a token of %d characters costs %v allocations", len(huge), n)
			}
		})
	}
}

func TestALongTextIsRefusedBeforeItIsCopied(t *testing.T) {
	huge := cursor.Position{cursor.TextValue(strings.Repeat("x", 10<<20))}
	b := newLayout(t, "o", cursor.Field{Kind: cursor.KindText}).Bind(query())
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			c := newCodec(t, cursor.Config{Form: form.form})
			mustNotEncode(t, c, b, huge)
			if n := allocated(func() { _, _ = c.Encode(b, huge) }); n > 64<<10 {
				t.Errorf("a text of %d bytes costs %d bytes", len(huge[0].Text()), n)
			}
		})
	}
}

func TestATokenThatPromisesALongTextCostsNoMoreThanItself(t *testing.T) {
	b := newLayout(t, "o", cursor.Field{Kind: cursor.KindText}).Bind(query())
	promise := []byte{0, 0xff, 0xff, 0xff, 0xff, 0x0f, 'a'} // 4 GiB - 1
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			c := newCodec(t, cursor.Config{Form: form.form})
			token := cursor.Craft(c, b, promise)
			mustRefuse(t, c, b, token, cursor.ErrMalformed)
			if n := allocated(func() { _, _ = c.Decode(b, token) }); n > 64<<10 {
				t.Errorf("a token of %d characters costs %d bytes", len(token), n)
			}
		})
	}
}

func TestTheLongestTokenCostsAFewTimesItsLength(t *testing.T) {
	c, b := newCodec(t, cursor.Config{}), newLayout(t, "o", cursor.Field{Kind: cursor.KindText}).Bind(query())
	p := cursor.Position{cursor.TextValue(strings.Repeat("x", 3000))}
	token := encode(t, c, b, p)
	garbage := strings.Repeat("A", cursor.DefaultMaxLen)
	for _, text := range []string{token, garbage} {
		if n := allocated(func() { _, _ = c.Decode(b, text) }); n > 8*cursor.DefaultMaxLen {
			t.Errorf("a token of %d characters costs %d bytes", len(text), n)
		}
	}
}

// allocated returns about how many bytes one call takes from the heap.
func allocated(call func()) uint64 {
	const calls = 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		call()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / calls
}
