package cursor_test

import (
	"errors"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

func TestAnImpossibleLayoutIsRefused(t *testing.T) {
	cases := []struct {
		name   string
		order  string
		fields []cursor.Field
	}{
		{"no name", "", []cursor.Field{{Kind: cursor.KindText}}},
		{"no field", "o", nil},
		{"a field of nulls", "o", []cursor.Field{{Kind: cursor.KindNull, Nullable: true}}},
		{"an unknown kind", "o", []cursor.Field{{Kind: cursor.KindEnum + 1}}},
		{"a text with members", "o", []cursor.Field{{Kind: cursor.KindText, Members: 2}}},
		{"an enumeration without members", "o", []cursor.Field{{Kind: cursor.KindEnum}}},
		{"an enumeration of -1 members", "o", []cursor.Field{{Kind: cursor.KindEnum, Members: -1}}},
		{"an enumeration of 257 members", "o", []cursor.Field{{Kind: cursor.KindEnum, Members: 257}}},
		{"a bad field after a good one", "o", []cursor.Field{{Kind: cursor.KindText}, {}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l, err := cursor.NewLayout(c.order, c.fields...)
			if err == nil {
				t.Fatalf("the layout %q of %+v is accepted", c.order, c.fields)
			}
			codec := newCodec(t, cursor.Config{})
			if token, err := codec.Encode(l.Bind(query()), nil); !errors.Is(err, cursor.ErrUnencodable) {
				t.Errorf("the layout beside the error encodes to %q, %v", token, err)
			}
		})
	}
}

func TestALayoutDoesNotShareItsFieldsWithTheCaller(t *testing.T) {
	fields := []cursor.Field{{Kind: cursor.KindInt64}}
	l := newLayout(t, "numbers", fields...)
	fields[0] = cursor.Field{Kind: cursor.KindUUID}
	c, b := newCodec(t, cursor.Config{}), l.Bind(query())
	p := cursor.Position{cursor.Int64Value(5)}
	mustOpen(t, c, b, encode(t, c, b, p), p)
}

func TestTokensOfAnotherLayoutAreAMismatch(t *testing.T) {
	base := cursor.Field{Kind: cursor.KindInt64}
	member := cursor.Field{Kind: cursor.KindEnum, Members: 2}
	made := newLayout(t, "o v1", base, member)
	others := []struct {
		name   string
		layout cursor.Layout
	}{
		{"the order has another version", newLayout(t, "o v2", base, member)},
		{"a field more", newLayout(t, "o v1", base, member, base)},
		{"a field less", newLayout(t, "o v1", base)},
		{"fields in another order", newLayout(t, "o v1", member, base)},
		{"a field of another kind", newLayout(t, "o v1", cursor.Field{Kind: cursor.KindText}, member)},
		{"a field that may be null", newLayout(t, "o v1", cursor.Field{Kind: cursor.KindInt64, Nullable: true}, member)},
		{"an enumeration with another member", newLayout(t, "o v1", base, cursor.Field{Kind: cursor.KindEnum, Members: 3})},
	}
	for _, form := range forms {
		c := newCodec(t, cursor.Config{Form: form.form})
		token := encode(t, c, made.Bind(query()), cursor.Position{cursor.Int64Value(5), cursor.EnumValue(1)})
		for _, other := range others {
			t.Run(form.name+", "+other.name, func(t *testing.T) {
				mustRefuse(t, c, other.layout.Bind(query()), token, cursor.ErrMismatch)
			})
		}
	}
}

func TestALayoutChecksAPositionAsEncodingDoes(t *testing.T) {
	layout, err := cursor.NewLayout("checked",
		cursor.Field{Kind: cursor.KindTime},
		cursor.Field{Kind: cursor.KindText, Nullable: true},
		cursor.Field{Kind: cursor.KindEnum, Members: 2})
	if err != nil {
		t.Fatal(err)
	}
	at, text, member := cursor.TimeValue(time.Unix(0, 0)), cursor.TextValue("a"), cursor.EnumValue(1)
	for name, p := range map[string]cursor.Position{
		"sound":               {at, text, member},
		"with a null":         {at, cursor.NullValue(), member},
		"nil":                 nil,
		"short":               {at, text},
		"long":                {at, text, member, member},
		"of another kind":     {text, text, member},
		"null where none may": {cursor.NullValue(), text, member},
		"with nanoseconds":    {cursor.TimeValue(time.Unix(0, 1)), text, member},
		"in the year 10000":   {cursor.TimeValue(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), text, member},
		"with a NUL":          {at, cursor.TextValue("\x00"), member},
		"of no member":        {at, text, cursor.EnumValue(2)},
		"of a negative one":   {at, text, cursor.EnumValue(-1)},
	} {
		_, encoding := newCodec(t, cursor.Config{Form: cursor.Plain}).Encode(layout.Bind(cursor.Query{}), p)
		checked := layout.Check(p)
		if (checked == nil) != (encoding == nil) {
			t.Errorf("a position %s: Check says %v, and Encode %v", name, checked, encoding)
		}
		if checked != nil && !errors.Is(checked, cursor.ErrUnencodable) {
			t.Errorf("a position %s: Check says %v, which does not match %v", name, checked, cursor.ErrUnencodable)
		}
	}
}
