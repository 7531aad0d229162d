package cursor_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

func TestAnImpossibleConfigIsRefused(t *testing.T) {
	ring := newKeyring(t, key(1))
	cases := []struct {
		name string
		cfg  cursor.Config
	}{
		{"sealed without keys", cursor.Config{}},
		{"signed without keys", cursor.Config{Form: cursor.Signed}},
		{"sealed with an empty ring", cursor.Config{Keys: new(cursor.Keyring)}},
		{"plain with keys", cursor.Config{Form: cursor.Plain, Keys: ring}},
		{"an unknown form", cursor.Config{Form: cursor.Plain + 1, Keys: ring}},
		{"a negative TTL", cursor.Config{Keys: ring, TTL: -time.Second}},
		{"a TTL finer than a microsecond", cursor.Config{Keys: ring, TTL: time.Second + time.Nanosecond}},
		{"a negative length", cursor.Config{Keys: ring, MaxLen: -1}},
		{"a length that no sealed token has", cursor.Config{Keys: ring, MaxLen: 69}},
		{"a length that no signed token has", cursor.Config{Form: cursor.Signed, Keys: ring, MaxLen: 53}},
		{"a length that no plain token has", cursor.Config{Form: cursor.Plain, MaxLen: 26}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if codec, err := cursor.New(c.cfg); err == nil || codec != nil {
				t.Errorf("New of %+v returns %v, %v", c.cfg, codec, err)
			}
		})
	}
}

func TestTheShortestTokenFitsIntoTheLeastLength(t *testing.T) {
	least := map[cursor.Form]int{cursor.Sealed: 70, cursor.Signed: 54, cursor.Plain: 27}
	b := newLayout(t, "o", cursor.Field{Kind: cursor.KindText}).Bind(query())
	p := cursor.Position{cursor.TextValue("")}
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			c := newCodec(t, cursor.Config{Form: form.form, MaxLen: least[form.form]})
			token := encode(t, c, b, p)
			if len(token) != least[form.form] {
				t.Errorf("the shortest token %q has %d characters, not %d", token, len(token), least[form.form])
			}
			mustOpen(t, c, b, token, p)
		})
	}
}

func TestAPositionThatDoesNotFitItsLayoutIsUnencodable(t *testing.T) {
	at, id := cursor.TimeValue(noon), cursor.UUIDValue(someUUID)
	cases := []struct {
		name     string
		position cursor.Position
	}{
		{"the start of the list", nil},
		{"no value", cursor.Position{}},
		{"a value too few", cursor.Position{at}},
		{"a value too many", cursor.Position{at, id, id}},
		{"values in another order", cursor.Position{id, at}},
		{"a text for a UUID", cursor.Position{at, cursor.TextValue(someUUID.String())}},
		{"an integer for a time", cursor.Position{cursor.Int64Value(noon.UnixMicro()), id}},
		{"a null in a field that is not nullable", cursor.Position{at, cursor.NullValue()}},
	}
	for _, form := range forms {
		c, b := newCodec(t, cursor.Config{Form: form.form}), tasks(t).Bind(query())
		for _, bad := range cases {
			t.Run(form.name+", "+bad.name, func(t *testing.T) { mustNotEncode(t, c, b, bad.position) })
		}
	}
}

func TestAValueWithoutExactEncodingIsUnencodable(t *testing.T) {
	cases := []struct {
		name  string
		field cursor.Field
		value cursor.Value
	}{
		{"a nanosecond", cursor.Field{Kind: cursor.KindTime}, cursor.TimeValue(noon.Add(1))},
		{"999 nanoseconds", cursor.Field{Kind: cursor.KindTime}, cursor.TimeValue(noon.Add(999))},
		{"a nanosecond in a nullable field", cursor.Field{Kind: cursor.KindTime, Nullable: true}, cursor.TimeValue(noon.Add(1))},
		{"the microsecond before year 1", cursor.Field{Kind: cursor.KindTime}, cursor.TimeValue(firstInstant.Add(-time.Microsecond))},
		{"the microsecond after year 9999", cursor.Field{Kind: cursor.KindTime}, cursor.TimeValue(lastInstant.Add(time.Microsecond))},
		{"the greatest time", cursor.Field{Kind: cursor.KindTime}, cursor.TimeValue(time.Unix(math.MaxInt64, 0))},
		{"the least time", cursor.Field{Kind: cursor.KindTime}, cursor.TimeValue(time.Unix(math.MinInt64, 0))},
		{"a text that is not UTF-8", cursor.Field{Kind: cursor.KindText}, cursor.TextValue("a\xffb")},
		{"a text with a NUL", cursor.Field{Kind: cursor.KindText}, cursor.TextValue("a\x00")},
		{"a surrogate", cursor.Field{Kind: cursor.KindText}, cursor.TextValue("\xed\xa0\x80")},
		{"a member beyond the last", cursor.Field{Kind: cursor.KindEnum, Members: 3}, cursor.EnumValue(3)},
		{"member 256 of 256", cursor.Field{Kind: cursor.KindEnum, Members: 256}, cursor.EnumValue(256)},
		{"member -1", cursor.Field{Kind: cursor.KindEnum, Members: 256}, cursor.EnumValue(-1)},
	}
	for _, form := range forms {
		c := newCodec(t, cursor.Config{Form: form.form})
		for _, bad := range cases {
			t.Run(form.name+", "+bad.name, func(t *testing.T) {
				mustNotEncode(t, c, newLayout(t, "o", bad.field).Bind(query()), cursor.Position{bad.value})
			})
		}
	}
}

func mustNotEncode(t *testing.T, c *cursor.Codec, b cursor.Binding, p cursor.Position) {
	t.Helper()
	token, err := c.Encode(b, p)
	if !errors.Is(err, cursor.ErrUnencodable) || token != "" {
		t.Errorf("%v is encoded to %q, %v", p, token, err)
	}
	if errors.Is(err, cursor.ErrInvalid) {
		t.Errorf("the error %q, a fault of the program, looks like one of a client", err)
	}
}

func TestATokenAtTheLimitIsMadeAndReadAndOneBeyondIsNeither(t *testing.T) {
	b := newLayout(t, "o", cursor.Field{Kind: cursor.KindText}).Bind(query())
	for _, form := range forms {
		for _, limit := range []int{100, 101, 102, 103, 500} {
			c := newCodec(t, cursor.Config{Form: form.form, MaxLen: limit})
			wide := newCodec(t, cursor.Config{Form: form.form, MaxLen: 10_000})
			made, refused := 0, 0
			for n := range limit {
				p := cursor.Position{cursor.TextValue(strings.Repeat("x", n))}
				token := encode(t, wide, b, p)
				if len(token) <= limit {
					made++
					mustOpen(t, c, b, encode(t, c, b, p), p)
				} else {
					refused++
					mustNotEncode(t, c, b, p)
					mustRefuse(t, c, b, token, cursor.ErrTooLong)
				}
			}
			if made == 0 || refused == 0 {
				t.Errorf("%s, limit %d: %d tokens made and %d refused: the test compares nothing", form.name, limit, made, refused)
			}
		}
	}
}

func TestTheLimitDefaultsTo4096Characters(t *testing.T) {
	c, b := newCodec(t, cursor.Config{}), tasks(t).Bind(query())
	mustRefuse(t, c, b, strings.Repeat("A", 4097), cursor.ErrTooLong)
	mustRefuse(t, c, b, strings.Repeat("A", 4096), cursor.ErrVersion)
}

// Of a token with several faults the first one counts, so that a log says the
// same about the same token on every day.
func TestTheFirstFaultIsTheOneReported(t *testing.T) {
	clock := noon
	cfg := cursor.Config{Keys: newKeyring(t, key(1)), TTL: time.Hour, Now: func() time.Time { return clock }}
	c := newCodec(t, cfg)
	b, other := tasks(t).Bind(query()), tasks(t).Bind(cursor.Query{})
	spoil := func(token string, at int) string {
		raw := bytesOf(t, token)
		raw[at] ^= 0x80
		return textOf(raw)
	}
	stale := encode(t, c, other, position())
	clock = clock.Add(2 * time.Hour)
	forged := spoil(stale, 40)
	unknown := spoil(forged, 4)
	foreign := spoil(unknown, 0)
	for _, fault := range []struct {
		name, token string
		want        error
	}{
		{"length before alphabet", strings.Repeat("\n", 4097), cursor.ErrTooLong},
		{"alphabet before version", foreign + "\n", cursor.ErrMalformed},
		{"version before key", foreign, cursor.ErrVersion},
		{"version before completeness", textOf([]byte{99, 0}), cursor.ErrVersion},
		{"completeness before key", unknown[:24], cursor.ErrMalformed},
		{"key before authenticity", unknown, cursor.ErrUnknownKey},
		{"authenticity before binding", forged, cursor.ErrForged},
		{"binding before expiry", stale, cursor.ErrMismatch},
		{"expiry before fields", cursor.Craft(c, b, []byte{0, 99}), cursor.ErrExpired},
	} {
		t.Run(fault.name, func(t *testing.T) { mustRefuse(t, c, b, fault.token, fault.want) })
	}
}

func TestAnEmptyTokenIsNotTheFirstPage(t *testing.T) {
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			mustRefuse(t, newCodec(t, cursor.Config{Form: form.form}), tasks(t).Bind(query()), "", cursor.ErrMalformed)
		})
	}
}

func TestTheZeroCodecRefusesEverything(t *testing.T) {
	var zero cursor.Codec
	b := tasks(t).Bind(query())
	mustNotEncode(t, &zero, b, position())
	mustRefuse(t, &zero, b, "", cursor.ErrMalformed)
	mustRefuse(t, &zero, b, encode(t, newCodec(t, cursor.Config{}), b, position()), cursor.ErrTooLong)
}

func TestEverySentinelIsAnInvalidTokenAndNoOther(t *testing.T) {
	for _, sentinel := range sentinels {
		checkRefusal(t, sentinel)
	}
	if errors.Is(cursor.ErrUnencodable, cursor.ErrInvalid) {
		t.Error("ErrUnencodable matches ErrInvalid")
	}
}
