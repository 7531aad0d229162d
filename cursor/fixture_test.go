package cursor_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

// forms are the three forms by their names in tests.
var forms = []struct {
	name string
	form cursor.Form
}{
	{"sealed", cursor.Sealed},
	{"signed", cursor.Signed},
	{"plain", cursor.Plain},
}

// protectedForms are the forms that nobody can change.
var protectedForms = forms[:2]

// sentinels are the errors of which each refusal matches exactly one.
var sentinels = []error{
	cursor.ErrMalformed, cursor.ErrTooLong, cursor.ErrVersion, cursor.ErrUnknownKey,
	cursor.ErrForged, cursor.ErrMismatch, cursor.ErrExpired,
}

// key returns the n-th of a row of different keys.
func key(n byte) []byte { return bytes.Repeat([]byte{n}, 32) }

// newCodec returns the codec of cfg, with key 1 in its ring unless cfg brings
// its own or needs none.
func newCodec(t testing.TB, cfg cursor.Config) *cursor.Codec {
	t.Helper()
	if cfg.Keys == nil && cfg.Form != cursor.Plain {
		cfg.Keys = newKeyring(t, key(1))
	}
	c, err := cursor.New(cfg)
	if err != nil {
		t.Fatalf("no codec of %+v: %v", cfg, err)
	}
	return c
}

func newKeyring(t testing.TB, primary []byte, accepted ...[]byte) *cursor.Keyring {
	t.Helper()
	r, err := cursor.NewKeyring(primary, accepted...)
	if err != nil {
		t.Fatalf("no key ring: %v", err)
	}
	return r
}

func newLayout(t testing.TB, order string, fields ...cursor.Field) cursor.Layout {
	t.Helper()
	l, err := cursor.NewLayout(order, fields...)
	if err != nil {
		t.Fatalf("no layout of %q: %v", order, err)
	}
	return l
}

// tasks is the order that most tests use.
func tasks(t testing.TB) cursor.Layout {
	return newLayout(t, "tasks created_at desc, id desc; v1",
		cursor.Field{Kind: cursor.KindTime}, cursor.Field{Kind: cursor.KindUUID})
}

// everyKind is an order with a nullable and a firm field of each kind.
func everyKind(t testing.TB) cursor.Layout {
	return newLayout(t, "every kind; v1",
		cursor.Field{Kind: cursor.KindTime}, cursor.Field{Kind: cursor.KindTime, Nullable: true},
		cursor.Field{Kind: cursor.KindText}, cursor.Field{Kind: cursor.KindText, Nullable: true},
		cursor.Field{Kind: cursor.KindInt64}, cursor.Field{Kind: cursor.KindInt64, Nullable: true},
		cursor.Field{Kind: cursor.KindUUID}, cursor.Field{Kind: cursor.KindUUID, Nullable: true},
		cursor.Field{Kind: cursor.KindEnum, Members: 3},
		cursor.Field{Kind: cursor.KindEnum, Members: 256, Nullable: true})
}

// fullOfValues and fullOfNulls are positions of everyKind.
func fullOfValues() cursor.Position {
	return cursor.Position{
		cursor.TimeValue(noon), cursor.TimeValue(noon.Add(-time.Microsecond)),
		cursor.TextValue("größer"), cursor.TextValue(""),
		cursor.Int64Value(-300), cursor.Int64Value(1 << 40),
		cursor.UUIDValue(someUUID), cursor.UUIDValue(cursor.UUID{}),
		cursor.EnumValue(2), cursor.EnumValue(255),
	}
}

func fullOfNulls() cursor.Position {
	p := fullOfValues()
	for i := 1; i < len(p); i += 2 {
		p[i] = cursor.NullValue()
	}
	return p
}

// query is what most tests bind to.
func query() cursor.Query {
	return cursor.Query{
		Resource: "tasks",
		Grant:    "grant-1",
		Subject:  "user-1",
		Scope:    [32]byte{1, 2, 3},
		Filters:  map[string][]string{"status": {"open", "blocked"}, "team": {"red"}},
	}
}

// noon is an instant that milliseconds cannot express.
var noon = time.Date(2026, 2, 28, 12, 0, 0, 123_457_000, time.UTC)

var someUUID = cursor.UUID{0x01, 0x95, 0x4c, 0x3a, 0xff, 0x00, 0x71, 0x11, 0x80, 0x22, 1, 2, 3, 4, 5, 6}

func position() cursor.Position {
	return cursor.Position{cursor.TimeValue(noon), cursor.UUIDValue(someUUID)}
}

func encode(t testing.TB, c *cursor.Codec, b cursor.Binding, p cursor.Position) string {
	t.Helper()
	token, err := c.Encode(b, p)
	if err != nil {
		t.Fatalf("%v is not encoded: %v", p, err)
	}
	return token
}

// mustOpen fails unless the token decodes to the position.
func mustOpen(t testing.TB, c *cursor.Codec, b cursor.Binding, token string, want cursor.Position) {
	t.Helper()
	got, err := c.Decode(b, token)
	if err != nil {
		t.Errorf("the token %q of %v is refused: %v", token, want, err)
	} else if !slices.Equal(got, want) {
		t.Errorf("the token %q of %v decodes to %v", token, want, got)
	}
}

// mustRefuse fails unless the token is refused for the one given reason.
func mustRefuse(t testing.TB, c *cursor.Codec, b cursor.Binding, token string, want error) {
	t.Helper()
	if got := refusal(t, c, b, token); !errors.Is(got, want) {
		t.Errorf("the token %.80q is answered with %v, not with %v", token, got, want)
	}
}

// refusal returns the error of a token that must be refused, after checking
// what holds for every refusal.
func refusal(t testing.TB, c *cursor.Codec, b cursor.Binding, token string) error {
	t.Helper()
	p, err := c.Decode(b, token)
	if err == nil {
		t.Errorf("the token %.80q is accepted as %v", token, p)
		return nil
	}
	if p != nil {
		t.Errorf("the refusal of the token %.80q comes with the position %v", token, p)
	}
	checkRefusal(t, err)
	return err
}

// checkRefusal fails unless err matches ErrInvalid and exactly one sentinel.
func checkRefusal(t testing.TB, err error) {
	t.Helper()
	matches := 0
	for _, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			matches++
		}
	}
	if matches != 1 || !errors.Is(err, cursor.ErrInvalid) {
		t.Errorf("the refusal %q matches %d sentinels and ErrInvalid: %t", err, matches, errors.Is(err, cursor.ErrInvalid))
	}
	if errors.Is(err, cursor.ErrUnencodable) {
		t.Errorf("the refusal %q of a decoder matches ErrUnencodable", err)
	}
}
