package cursor_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
)

// These tests stand for the faults of an earlier gateway whose cursor was the
// base64url of {"createdAt":"…","id":"…"}: exact to the millisecond only, bound
// to nothing, unsigned, without a version, of any length, and its members went
// to the database as they were.

func TestRegressionMillisecondsLoseRowsOfOneTransaction(t *testing.T) {
	cases := []struct {
		name string
		step time.Duration
		rows int
	}{
		{"100 rows of one transaction", 0, 100},
		{"100 rows a microsecond apart", time.Microsecond, 100},
		{"1000 rows 137 microseconds apart", 137 * time.Microsecond, 1000},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rows := make([]cursor.Position, c.rows) // newest first
			for i := range rows {
				id := cursor.UUID{0: byte((c.rows - i) >> 8), 1: byte(c.rows - i)}
				rows[i] = cursor.Position{cursor.TimeValue(noon.Add(-time.Duration(i) * c.step)), cursor.UUIDValue(id)}
			}
			if got := walk(t, rows, 10); !slices.EqualFunc(got, rows, slices.Equal[cursor.Position]) {
				t.Errorf("%d of %d rows are reached in pages of 10", len(got), len(rows))
			}
		})
	}
}

// walk reads rows, which are sorted descending, in pages that begin after the
// position of a token.
func walk(t *testing.T, rows []cursor.Position, limit int) []cursor.Position {
	t.Helper()
	c, b := newCodec(t, cursor.Config{}), tasks(t).Bind(query())
	var reached []cursor.Position
	rest := rows
	for len(rest) > 0 {
		page := rest[:min(limit, len(rest))]
		reached = append(reached, page...)
		after, err := c.Decode(b, encode(t, c, b, page[len(page)-1]))
		if err != nil {
			t.Fatalf("after %d rows the cursor is refused: %v", len(reached), err)
		}
		begin := slices.IndexFunc(rows, func(row cursor.Position) bool { return sortsAfter(row, after) })
		if begin < 0 {
			break
		}
		rest = rows[begin:]
	}
	return reached
}

// sortsAfter tells whether row comes after p in descending order.
func sortsAfter(row, p cursor.Position) bool {
	if order := row[0].Time().Compare(p[0].Time()); order != 0 {
		return order < 0
	}
	return row[1].UUID().String() < p[1].UUID().String()
}

func TestRegressionAnUnboundCursorOfMemoryWorkedOnTasks(t *testing.T) {
	c := newCodec(t, cursor.Config{})
	memory := newLayout(t, "memory block, created_at desc, id desc; v1",
		cursor.Field{Kind: cursor.KindEnum, Members: 2}, cursor.Field{Kind: cursor.KindTime}, cursor.Field{Kind: cursor.KindUUID})
	q := query()
	q.Resource = "memory"
	token := encode(t, c, memory.Bind(q), append(cursor.Position{cursor.EnumValue(0)}, position()...))
	mustRefuse(t, c, tasks(t).Bind(query()), token, cursor.ErrMismatch)
	mustRefuse(t, c, tasks(t).Bind(q), token, cursor.ErrMismatch)
}

func TestRegressionAnUnsignedCursorCouldBeWrittenByHand(t *testing.T) {
	b := tasks(t).Bind(query())
	byHand := encode(t, newCodec(t, cursor.Config{Form: cursor.Plain}), b, position())
	stranger := newCodec(t, cursor.Config{Keys: newKeyring(t, key(9))})
	for _, form := range protectedForms {
		t.Run(form.name, func(t *testing.T) {
			c := newCodec(t, cursor.Config{Form: form.form})
			mustRefuse(t, c, b, byHand, cursor.ErrVersion)
			mustRefuse(t, newCodec(t, cursor.Config{}), b, encode(t, stranger, b, position()), cursor.ErrUnknownKey)
		})
	}
}

func TestRegressionAnUnversionedCursorCouldNotBeToldFromALaterOne(t *testing.T) {
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			c, b := newCodec(t, cursor.Config{Form: form.form}), tasks(t).Bind(query())
			raw := bytesOf(t, encode(t, c, b, position()))
			for version := range 256 {
				if version == 1 {
					continue
				}
				raw[0] = byte(version)
				mustRefuse(t, c, b, textOf(raw), cursor.ErrVersion)
			}
		})
	}
}

func TestRegressionAnUnlimitedCursorWasReadWhatever(t *testing.T) {
	c, b := newCodec(t, cursor.Config{}), tasks(t).Bind(query())
	huge := jsonCursor(strings.Repeat("9", 1<<20), someUUID.String())
	mustRefuse(t, c, b, huge, cursor.ErrTooLong)
}

// badMembers are the members that reached the database, or passed for a date.
var badMembers = []struct{ name, createdAt, id string }{
	{"bad uuid", "2026-02-28T12:00:00.123Z", "not-a-uuid"},
	{"NUL byte", "2026-02-28T12:00:00.123Z", "01954c3a-ff00-7111-8022-01020304050\x00"},
	{"year 0", "0000-01-01T00:00:00.000Z", someUUID.String()},
	{"year -1", "-000001-01-01T00:00:00.000Z", someUUID.String()},
	{"year 10000", "+010000-01-01T00:00:00.000Z", someUUID.String()},
	{"year +275760", "+275760-09-13T00:00:00.000Z", someUUID.String()},
	{"foo 1", "foo 1", someUUID.String()},
	{"2026-02-30", "2026-02-30", someUUID.String()},
	{"a good cursor of that gateway", "2026-02-28T12:00:00.123Z", someUUID.String()},
}

func jsonCursor(createdAt, id string) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"createdAt":%q,"id":%q}`, createdAt, id))
}

func TestRegressionBadMembersOfJSONCursorsAreRefused(t *testing.T) {
	for _, form := range forms {
		c, b := newCodec(t, cursor.Config{Form: form.form}), tasks(t).Bind(query())
		for _, bad := range badMembers {
			t.Run(form.name+", "+bad.name, func(t *testing.T) {
				mustRefuse(t, c, b, jsonCursor(bad.createdAt, bad.id), cursor.ErrVersion)
				// Even one who holds the key cannot put texts where a time and a
				// UUID belong.
				texts := newLayout(t, "o", cursor.Field{Kind: cursor.KindText}, cursor.Field{Kind: cursor.KindText})
				body, err := cursor.Dissect(c, encode(t, c, texts.Bind(query()), cursor.Position{
					cursor.TextValue(bad.createdAt), cursor.TextValue(strings.ReplaceAll(bad.id, "\x00", "0"))}))
				if err != nil {
					t.Fatal(err)
				}
				mustRefuse(t, c, b, cursor.Craft(c, b, body), cursor.ErrMalformed)
			})
		}
	}
}

func TestRegressionYearsThatTheDatabaseRefusesAreRefusedBeforeIt(t *testing.T) {
	for _, form := range forms {
		c, b := newCodec(t, cursor.Config{Form: form.form}), tasks(t).Bind(query())
		for _, year := range []int{0, -1, 10000, 275760, -4714, 294277} {
			t.Run(fmt.Sprintf("%s, year %d", form.name, year), func(t *testing.T) {
				at := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
				mustNotEncode(t, c, b, cursor.Position{cursor.TimeValue(at), cursor.UUIDValue(someUUID)})
				body := append([]byte{0}, micros(at.UnixMicro())...)
				mustRefuse(t, c, b, cursor.Craft(c, b, append(body, someUUID[:]...)), cursor.ErrMalformed)
			})
		}
	}
}

func TestRegressionANULByteInATextIsRefusedBeforeTheDatabase(t *testing.T) {
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			c := newCodec(t, cursor.Config{Form: form.form})
			b := newLayout(t, "o", cursor.Field{Kind: cursor.KindText}).Bind(query())
			mustNotEncode(t, c, b, cursor.Position{cursor.TextValue("a\x00b")})
			mustRefuse(t, c, b, cursor.Craft(c, b, []byte{0, 3, 'a', 0, 'b'}), cursor.ErrMalformed)
		})
	}
}
