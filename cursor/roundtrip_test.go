package cursor_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

var (
	firstInstant = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	lastInstant  = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
)

// TestWhateverIsEncodedDecodesToItself also holds the other direction: of one
// layout and query, a position has one token and a token one position.
func TestWhateverIsEncodedDecodesToItself(t *testing.T) {
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			c := newCodec(t, cursor.Config{Form: form.form})
			for seed := range uint64(300) {
				checkRandomLayout(t, c, seed)
			}
		})
	}
}

func checkRandomLayout(t *testing.T, c *cursor.Codec, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	fields := randomFields(r)
	b := newLayout(t, fmt.Sprintf("random %d", seed), fields...).Bind(query())
	positionOf := map[string]cursor.Position{}
	for range 20 {
		p := randomPosition(r, fields)
		token := encode(t, c, b, p)
		mustOpen(t, c, b, token, p)
		if again := encode(t, c, b, slices.Clone(p)); again != token {
			t.Errorf("seed %d: %v is encoded to %q and to %q", seed, p, token, again)
		}
		if other, ok := positionOf[token]; ok && !slices.Equal(other, p) {
			t.Errorf("seed %d: %v and %v have the same token %q", seed, p, other, token)
		}
		positionOf[token] = p
	}
}

func randomFields(r *rand.Rand) []cursor.Field {
	fields := make([]cursor.Field, 1+r.IntN(6))
	for i := range fields {
		f := cursor.Field{Kind: cursor.KindTime + cursor.Kind(r.IntN(5)), Nullable: r.IntN(2) == 0}
		if f.Kind == cursor.KindEnum {
			f.Members = 1 + r.IntN(256)
		}
		fields[i] = f
	}
	return fields
}

func randomPosition(r *rand.Rand, fields []cursor.Field) cursor.Position {
	p := make(cursor.Position, len(fields))
	for i, f := range fields {
		if !f.Nullable || r.IntN(4) > 0 {
			p[i] = randomValue(r, f)
		}
	}
	return p
}

func randomValue(r *rand.Rand, f cursor.Field) cursor.Value {
	switch f.Kind {
	case cursor.KindTime:
		span := lastInstant.UnixMicro() - firstInstant.UnixMicro() + 1
		return cursor.TimeValue(time.UnixMicro(firstInstant.UnixMicro() + r.Int64N(span)))
	case cursor.KindText:
		letters := []rune("ab\x01 \u007fé\u00a0€\ufffd😀\U0010ffff")
		var text strings.Builder
		for range r.IntN(200) {
			text.WriteRune(letters[r.IntN(len(letters))])
		}
		return cursor.TextValue(text.String())
	case cursor.KindInt64:
		return cursor.Int64Value(int64(r.Uint64()) >> r.IntN(64))
	case cursor.KindUUID:
		var u cursor.UUID
		for i := range u {
			u[i] = byte(r.Uint32())
		}
		return cursor.UUIDValue(u)
	default:
		return cursor.EnumValue(r.IntN(f.Members))
	}
}

func TestExtremeValuesSurvive(t *testing.T) {
	text := cursor.Field{Kind: cursor.KindText, Nullable: true}
	instant := cursor.Field{Kind: cursor.KindTime}
	number := cursor.Field{Kind: cursor.KindInt64}
	member := cursor.Field{Kind: cursor.KindEnum, Members: 256}
	cases := []struct {
		name  string
		field cursor.Field
		value cursor.Value
	}{
		{"the first microsecond of year 1", instant, cursor.TimeValue(firstInstant)},
		{"the last microsecond of year 9999", instant, cursor.TimeValue(lastInstant)},
		{"the microsecond before 1970", instant, cursor.TimeValue(time.UnixMicro(-1))},
		{"year 1 in UTC that is year 0 in its zone", instant,
			cursor.TimeValue(firstInstant.In(time.FixedZone("west", -3600)))},
		{"a leap day", instant, cursor.TimeValue(time.Date(2024, 2, 29, 23, 59, 59, 999_999_000, time.UTC))},
		{"an empty text", text, cursor.TextValue("")},
		{"a null text", text, cursor.NullValue()},
		{"a text of one control character", text, cursor.TextValue("\x01")},
		{"a text that needs a length of two bytes", text, cursor.TextValue(strings.Repeat("x", 128))},
		{"a text of the replacement character", text, cursor.TextValue("\ufffd")},
		{"the least integer", number, cursor.Int64Value(math.MinInt64)},
		{"the greatest integer", number, cursor.Int64Value(math.MaxInt64)},
		{"zero", number, cursor.Int64Value(0)},
		{"minus one", number, cursor.Int64Value(-1)},
		{"the nil UUID", cursor.Field{Kind: cursor.KindUUID}, cursor.UUIDValue(cursor.UUID{})},
		{"the first member", member, cursor.EnumValue(0)},
		{"the last member", member, cursor.EnumValue(255)},
	}
	for _, form := range forms {
		c := newCodec(t, cursor.Config{Form: form.form})
		for _, extreme := range cases {
			t.Run(form.name+", "+extreme.name, func(t *testing.T) {
				b := newLayout(t, "extreme", extreme.field).Bind(query())
				p := cursor.Position{extreme.value}
				mustOpen(t, c, b, encode(t, c, b, p), p)
			})
		}
	}
}

func TestNullsAndEmptyTextsAreDifferentPositions(t *testing.T) {
	c := newCodec(t, cursor.Config{})
	b := newLayout(t, "o", cursor.Field{Kind: cursor.KindText, Nullable: true}).Bind(query())
	null := encode(t, c, b, cursor.Position{cursor.NullValue()})
	empty := encode(t, c, b, cursor.Position{cursor.TextValue("")})
	if null == empty {
		t.Errorf("null and the empty text have the same token %q", null)
	}
}

func TestADecodedTimeIsInUTC(t *testing.T) {
	c, b := newCodec(t, cursor.Config{}), tasks(t).Bind(query())
	local := position()
	local[0] = cursor.TimeValue(noon.In(time.FixedZone("CET", 3600)))
	p, err := c.Decode(b, encode(t, c, b, local))
	if err != nil {
		t.Fatal(err)
	}
	if got := p[0].Time(); got.Location() != time.UTC || !got.Equal(noon) {
		t.Errorf("the time %v comes back as %v", local[0], got)
	}
}

func TestADecodedPositionIsNotOverwrittenByTheNextToken(t *testing.T) {
	c, b := newCodec(t, cursor.Config{}), everyKind(t).Bind(query())
	p, err := c.Decode(b, encode(t, c, b, fullOfValues()))
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		mustOpen(t, c, b, encode(t, c, b, fullOfNulls()), fullOfNulls())
	}
	if !slices.Equal(p, fullOfValues()) {
		t.Errorf("after other tokens were read the position is %v", p)
	}
}

func TestTwoCodecsOfTheSameKeyMakeTheSameToken(t *testing.T) {
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			b := everyKind(t).Bind(query())
			one := encode(t, newCodec(t, cursor.Config{Form: form.form}), b, fullOfValues())
			two := encode(t, newCodec(t, cursor.Config{Form: form.form}), b, fullOfValues())
			if one != two {
				t.Errorf("one position has the tokens %q and %q", one, two)
			}
		})
	}
}

func TestASealedTokenShowsNothingOfItsContent(t *testing.T) {
	c, b := newCodec(t, cursor.Config{}), newLayout(t, "o", cursor.Field{Kind: cursor.KindText}).Bind(query())
	seen := map[byte]bool{}
	for i := range 64 {
		token := encode(t, c, b, cursor.Position{cursor.TextValue(fmt.Sprintf("canary %02d", i))})
		seen[token[len(token)/2]] = true
	}
	// The character in the middle stands for the word that all texts share.
	if len(seen) < 10 {
		t.Errorf("the middle of 64 tokens of similar texts takes only %d values", len(seen))
	}
}
