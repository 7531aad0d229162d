package cursor_test

import (
	"math"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

func TestAValueHoldsWhatItWasGiven(t *testing.T) {
	year1 := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, want := range []time.Time{{}, year1, noon, time.Unix(0, 0), time.Unix(-1, 999_999_999)} {
		if got := cursor.TimeValue(want).Time(); !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("the value of %v holds %v", want, got)
		}
	}
	for _, want := range []int64{0, 1, -1, math.MinInt64, math.MaxInt64} {
		if got := cursor.Int64Value(want).Int64(); got != want {
			t.Errorf("the value of %d holds %d", want, got)
		}
	}
	for _, want := range []int{0, 1, -1, 255, math.MaxInt32} {
		if got := cursor.EnumValue(want).Enum(); got != want {
			t.Errorf("the value of member %d holds %d", want, got)
		}
	}
	if got := cursor.TextValue("a\x00b").Text(); got != "a\x00b" {
		t.Errorf("the value of a text holds %q", got)
	}
	if got := cursor.UUIDValue(someUUID).UUID(); got != someUUID {
		t.Errorf("the value of %v holds %v", someUUID, got)
	}
}

func TestTheZeroValueIsNull(t *testing.T) {
	var zero cursor.Value
	if zero != cursor.NullValue() || zero.Kind() != cursor.KindNull {
		t.Errorf("the zero Value is %v", zero)
	}
}

func TestAnAccessorOfAnotherKindReturnsTheZeroOfItsType(t *testing.T) {
	values := map[cursor.Kind]cursor.Value{
		cursor.KindNull:  cursor.NullValue(),
		cursor.KindTime:  cursor.TimeValue(noon),
		cursor.KindText:  cursor.TextValue("a"),
		cursor.KindInt64: cursor.Int64Value(7),
		cursor.KindUUID:  cursor.UUIDValue(someUUID),
		cursor.KindEnum:  cursor.EnumValue(7),
	}
	for kind, v := range values {
		if v.Kind() != kind {
			t.Errorf("%v is of kind %v, not %v", v, v.Kind(), kind)
		}
		zeros := map[cursor.Kind]bool{
			cursor.KindTime:  v.Time() == time.Time{},
			cursor.KindText:  v.Text() == "",
			cursor.KindInt64: v.Int64() == 0,
			cursor.KindUUID:  v.UUID() == cursor.UUID{},
			cursor.KindEnum:  v.Enum() == 0,
		}
		for accessor, zero := range zeros {
			if zero == (accessor == kind) {
				t.Errorf("the accessor of %v returns a zero of %v: %t", accessor, v, zero)
			}
		}
	}
}

func TestEqualInstantsAreEqualValues(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	if cursor.TimeValue(noon) != cursor.TimeValue(noon.In(berlin)) {
		t.Error("an instant is another value in another time zone")
	}
	now := time.Now()
	if cursor.TimeValue(now) != cursor.TimeValue(now.Round(0)) {
		t.Error("the monotonic reading of a clock is part of the value")
	}
}

func TestEqualNumbersOfDifferentKindsAreDifferentValues(t *testing.T) {
	if cursor.Int64Value(0) == cursor.EnumValue(0) || cursor.TextValue("") == cursor.NullValue() {
		t.Error("values of different kinds are equal")
	}
}

func TestKindsAndValuesDescribeThemselves(t *testing.T) {
	cases := []struct {
		value      cursor.Value
		kind, text string
	}{
		{cursor.NullValue(), "null", "null"},
		{cursor.TimeValue(noon), "time", "time 2026-02-28T12:00:00.123457Z"},
		{cursor.TextValue("a\n"), "text", `text "a\n"`},
		{cursor.Int64Value(-5), "int64", "int64 -5"},
		{cursor.UUIDValue(someUUID), "uuid", "uuid 01954c3a-ff00-7111-8022-010203040506"},
		{cursor.EnumValue(2), "enum", "enum 2"},
	}
	for _, c := range cases {
		if c.value.Kind().String() != c.kind || c.value.String() != c.text {
			t.Errorf("a %s describes itself as %q and %q, not %q", c.kind, c.value.Kind(), c.value, c.text)
		}
	}
	if got := cursor.Kind(77).String(); got != "Kind(77)" {
		t.Errorf("a kind that does not exist describes itself as %q", got)
	}
}
