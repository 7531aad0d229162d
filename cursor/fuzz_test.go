package cursor_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

// FuzzDecode reads any token, and any bytes that stand where expiry and fields
// stand in an authentic one. Whatever is accepted is the one token of its
// position; whatever is refused is refused for one reason; and the forms agree
// about the bytes that they protect.
func FuzzDecode(f *testing.F) {
	reader := fuzzer{
		now:      &clock{firstInstant}, // the past, so that most expiries are ahead
		bindings: []cursor.Binding{everyKind(f).Bind(query()), tasks(f).Bind(query())},
	}
	for _, form := range forms {
		c := newCodec(f, cursor.Config{Form: form.form, Now: reader.now.read})
		reader.codecs = append(reader.codecs, c)
		f.Add(encode(f, c, reader.bindings[0], fullOfValues()), []byte{})
		f.Add(encode(f, c, reader.bindings[0], fullOfNulls()), bodyOf(f, c, reader.bindings[0], fullOfValues()))
		f.Add(encode(f, c, reader.bindings[1], position()), bodyOf(f, c, reader.bindings[1], position()))
	}
	f.Fuzz(func(t *testing.T, token string, body []byte) {
		for i, c := range reader.codecs {
			for _, b := range reader.bindings {
				reader.check(t, forms[i].form, c, b, token)
			}
		}
		for _, b := range reader.bindings {
			reader.checkBody(t, b, body)
		}
		_, err := reader.codecs[0].Decode(reader.bindings[1], cursor.Craft(reader.codecs[0], reader.bindings[1], body))
		if want := isTasksBody(body); (err == nil) != want {
			t.Errorf("the bytes %x of a task's position are answered with %v; are they valid? %t", body, err, want)
		}
	})
}

type fuzzer struct {
	now      *clock
	codecs   []*cursor.Codec // one of each form
	bindings []cursor.Binding
}

// check decodes a token, and encodes what comes out.
func (f fuzzer) check(t *testing.T, form cursor.Form, c *cursor.Codec, b cursor.Binding, token string) {
	t.Helper()
	p, err := c.Decode(b, token)
	if err != nil {
		checkRefusal(t, err)
		if p != nil {
			t.Errorf("the refusal of %q comes with the position %v", token, p)
		}
		return
	}
	if again := encode(t, f.maker(t, form, c, token), b, p); again != token {
		t.Errorf("the token %q decodes to %v, whose token is %q", token, p, again)
	}
}

// maker returns a codec whose tokens have the expiry of the given one.
func (f fuzzer) maker(t *testing.T, form cursor.Form, c *cursor.Codec, token string) *cursor.Codec {
	t.Helper()
	body, err := cursor.Dissect(c, token)
	if err != nil {
		t.Fatalf("the token %q is accepted, but has no payload: %v", token, err)
	}
	if body[0] == 0 {
		return c
	}
	expiry := time.UnixMicro(int64(binary.BigEndian.Uint64(body[1:])))
	return newCodec(t, cursor.Config{Form: form, TTL: time.Hour, Now: (&clock{expiry.Add(-time.Hour)}).read})
}

// checkBody lets every form protect the same bytes and compares the answers.
func (f fuzzer) checkBody(t *testing.T, b cursor.Binding, body []byte) {
	t.Helper()
	const shortEnough = cursor.DefaultMaxLen / 2 // whatever a form adds
	positions, reasons := make([]cursor.Position, len(forms)), make([]error, len(forms))
	for i, c := range f.codecs {
		token := cursor.Craft(c, b, body)
		f.check(t, forms[i].form, c, b, token)
		p, err := c.Decode(b, token)
		positions[i], reasons[i] = p, reason(err)
		if len(body) <= shortEnough && (!slices.Equal(p, positions[0]) || reasons[i] != reasons[0]) {
			t.Errorf("of the bytes %x %s reads %v, %v and %s reads %v, %v",
				body, forms[0].name, positions[0], reasons[0], forms[i].name, p, err)
		}
	}
}

// reason is the sentinel that a refusal matches.
func reason(err error) error {
	for _, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			return sentinel
		}
	}
	return nil
}

// isTasksBody tells whether expiry and fields of a task's position can be
// these bytes: the layout has fixed lengths, so that one can see it.
func isTasksBody(body []byte) bool {
	const noExpiry, withExpiry = 1 + 8 + 16, 1 + 8 + 8 + 16
	switch {
	case len(body) == noExpiry && body[0] == 0:
		return isYear1To9999(body[1:])
	case len(body) == withExpiry && body[0] == 1:
		expired := int64(binary.BigEndian.Uint64(body[1:])) == firstInstant.UnixMicro()
		return isYear1To9999(body[1:]) && !expired && isYear1To9999(body[9:])
	default:
		return false
	}
}

func isYear1To9999(b []byte) bool {
	n := int64(binary.BigEndian.Uint64(b))
	return firstInstant.UnixMicro() <= n && n <= lastInstant.UnixMicro()
}

func bodyOf(t testing.TB, c *cursor.Codec, b cursor.Binding, p cursor.Position) []byte {
	t.Helper()
	body, err := cursor.Dissect(c, encode(t, c, b, p))
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(body)
}
