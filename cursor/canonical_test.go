package cursor_test

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

func TestThereIsNoSecondSpellingOfAToken(t *testing.T) {
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			tokensOfEachLength(t, form.form, func(c *cursor.Codec, b cursor.Binding, token string) {
				for name, other := range spellings(t, token) {
					if got := refusal(t, c, b, other); got != nil && got != cursor.ErrMalformed {
						t.Errorf("the token %q with %s is refused with %v", other, name, got)
					}
				}
			})
		})
	}
}

// spellings returns texts that lenient decoders take for the same bytes.
func spellings(t *testing.T, token string) map[string]string {
	t.Helper()
	raw := bytesOf(t, token)
	middle := len(token) / 2
	all := map[string]string{
		"padding":                     base64.URLEncoding.EncodeToString(raw),
		"one sign of padding":         token + "=",
		"the standard alphabet":       strings.NewReplacer("-", "+", "_", "/").Replace(token),
		"a line feed at the end":      token + "\n",
		"a carriage return and feed":  token + "\r\n",
		"a line feed at the start":    "\n" + token,
		"a line feed inside":          token[:middle] + "\n" + token[middle:],
		"a carriage return inside":    token[:middle] + "\r" + token[middle:],
		"line ends after each letter": strings.Join(strings.Split(token, ""), "\r\n"),
		"a space at the end":          token + " ",
		"a space inside":              token[:middle] + " " + token[middle:],
		"an escaped character":        strings.Replace(token, token[:1], "%41", 1),
		"a NUL at the end":            token + "\x00",
	}
	// The last character of an incomplete group has bits that stand for
	// nothing; each of them makes another text of the same bytes.
	last := strings.IndexByte(base64url, token[len(token)-1])
	for bit := range spareBits(len(token)) {
		all["trailing bit "+string(rune('0'+bit))] = token[:len(token)-1] + base64url[last|1<<bit:][:1]
	}
	for name, text := range all {
		if text == token {
			delete(all, name) // a complete group has no padding
		}
	}
	return all
}

func spareBits(length int) int {
	switch length % 4 {
	case 2:
		return 4
	case 3:
		return 2
	default:
		return 0
	}
}

// Plain tokens can be written by anyone, so every byte of a payload counts;
// the protected forms read payloads with the same code.
func TestAPayloadThatEncodeNeverWritesIsMalformed(t *testing.T) {
	type field = cursor.Field
	text, number := field{Kind: cursor.KindText}, field{Kind: cursor.KindInt64}
	cases := []struct {
		name  string
		field field
		bytes []byte
	}{
		{"an integer with a zero byte at its end", number, []byte{0x8a, 0x00}},
		{"zero in two bytes", number, []byte{0x80, 0x00}},
		{"zero in ten bytes", number, []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}},
		{"an integer of more than 64 bits", number, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}},
		{"an integer that does not end", number, []byte{0x80}},
		{"an integer of eleven bytes", number, []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}},
		{"a length with a zero byte at its end", text, []byte{0x81, 0x00, 'a'}},
		{"a length beyond the end", text, []byte{0x02, 'a'}},
		{"a length of 2^63", text, []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 'a'}},
		{"a length of 2^64-1", text, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 'a'}},
		{"a text that is not UTF-8", text, []byte{0x01, 0xff}},
		{"a text that cuts a character", text, []byte{0x01, 0xc3}},
		{"a surrogate", text, []byte{0x03, 0xed, 0xa0, 0x80}},
		{"a letter in too many bytes", text, []byte{0x02, 0xc1, 0x81}},
		{"a text with a NUL", text, []byte{0x01, 0x00}},
		{"a NUL in two bytes", text, []byte{0x02, 0xc0, 0x80}},
		{"a null mark of 2", field{Kind: cursor.KindText, Nullable: true}, []byte{0x02, 0x00}},
		{"a null with a value", field{Kind: cursor.KindText, Nullable: true}, []byte{0x00, 0x00}},
		{"a value that is missing", field{Kind: cursor.KindText, Nullable: true}, []byte{0x01}},
		{"a time of seven bytes", field{Kind: cursor.KindTime}, make([]byte, 7)},
		{"a time of nine bytes", field{Kind: cursor.KindTime}, make([]byte, 9)},
		{"a time before year 1", field{Kind: cursor.KindTime}, micros(firstInstant.UnixMicro() - 1)},
		{"a time after year 9999", field{Kind: cursor.KindTime}, micros(lastInstant.UnixMicro() + 1)},
		{"the least time", field{Kind: cursor.KindTime}, micros(-1 << 63)},
		{"the greatest time", field{Kind: cursor.KindTime}, micros(1<<63 - 1)},
		{"a UUID of 15 bytes", field{Kind: cursor.KindUUID}, make([]byte, 15)},
		{"a UUID of 17 bytes", field{Kind: cursor.KindUUID}, make([]byte, 17)},
		{"a member that does not exist", field{Kind: cursor.KindEnum, Members: 3}, []byte{3}},
		{"a member of two bytes", field{Kind: cursor.KindEnum, Members: 3}, []byte{2, 0}},
		{"nothing", number, nil},
	}
	for _, form := range forms {
		c := newCodec(t, cursor.Config{Form: form.form})
		for _, bad := range cases {
			t.Run(form.name+", "+bad.name, func(t *testing.T) {
				b := newLayout(t, "one field", bad.field).Bind(query())
				noExpiry := []byte{0}
				mustRefuse(t, c, b, cursor.Craft(c, b, append(noExpiry, bad.bytes...)), cursor.ErrMalformed)
			})
		}
	}
}

func TestAnExpiryThatEncodeNeverWritesIsMalformed(t *testing.T) {
	cases := []struct {
		name   string
		expiry []byte
	}{
		{"a mark of 2", []byte{2}},
		{"an instant that ends with the field", append([]byte{1}, make([]byte, 6)...)},
		{"an instant after year 9999", append([]byte{1}, micros(lastInstant.UnixMicro()+1)...)},
	}
	for _, form := range forms {
		c, b := newCodec(t, cursor.Config{Form: form.form}), newLayout(t, "o", cursor.Field{Kind: cursor.KindText}).Bind(query())
		for _, bad := range cases {
			t.Run(form.name+", "+bad.name, func(t *testing.T) {
				mustRefuse(t, c, b, cursor.Craft(c, b, append(bad.expiry, 0)), cursor.ErrMalformed)
			})
		}
	}
}

func TestBytesAfterTheLastFieldAreMalformed(t *testing.T) {
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			c, b := newCodec(t, cursor.Config{Form: form.form}), everyKind(t).Bind(query())
			body, err := cursor.Dissect(c, encode(t, c, b, fullOfValues()))
			if err != nil {
				t.Fatal(err)
			}
			body = append([]byte(nil), body...)
			mustOpen(t, c, b, cursor.Craft(c, b, body), fullOfValues())
			mustRefuse(t, c, b, cursor.Craft(c, b, append(body, 0)), cursor.ErrMalformed)
			for i := range body[9:] {
				mustRefuse(t, c, b, cursor.Craft(c, b, body[:len(body)-1-i]), cursor.ErrMalformed)
			}
		})
	}
}

// TestAPlainTokenThatIsAcceptedIsTheOneTextOfItsPosition changes plain tokens
// in every byte: what is still accepted must be what Encode makes.
func TestAPlainTokenThatIsAcceptedIsTheOneTextOfItsPosition(t *testing.T) {
	c, b := newCodec(t, cursor.Config{Form: cursor.Plain}), everyKind(t).Bind(query())
	accepted := 0
	for _, p := range []cursor.Position{fullOfValues(), fullOfNulls()} {
		raw := bytesOf(t, encode(t, c, b, p))
		for i := range raw {
			for change := 1; change < 256; change++ {
				raw[i] ^= byte(change)
				if changed, err := c.Decode(b, textOf(raw)); err != nil {
					checkRefusal(t, err)
				} else if accepted++; encode(t, c, b, changed) != textOf(raw) {
					t.Errorf("the token %q of %v is not its canonical one", textOf(raw), changed)
				}
				raw[i] ^= byte(change)
			}
		}
	}
	if accepted < 1000 {
		t.Errorf("only %d changed tokens were accepted: the test compares nothing", accepted)
	}
}

func micros(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func TestTheBoundsOfTimeAreAccepted(t *testing.T) {
	c, b := newCodec(t, cursor.Config{}), newLayout(t, "o", cursor.Field{Kind: cursor.KindTime}).Bind(query())
	for _, bound := range []time.Time{firstInstant, lastInstant} {
		body := append([]byte{0}, micros(bound.UnixMicro())...)
		mustOpen(t, c, b, cursor.Craft(c, b, body), cursor.Position{cursor.TimeValue(bound)})
	}
}
