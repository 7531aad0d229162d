package cursor_test

import (
	"errors"
	"testing"

	"github.com/mosaicstack/fedkit/cursor"
)

func TestACursorOfAnotherQueryIsAMismatchAndNotForged(t *testing.T) {
	changes := []struct {
		name   string
		change func(*cursor.Query)
	}{
		{"another resource", func(q *cursor.Query) { q.Resource = "memory" }},
		{"another grant", func(q *cursor.Query) { q.Grant = "grant-2" }},
		{"another subject", func(q *cursor.Query) { q.Subject = "user-2" }},
		{"another scope", func(q *cursor.Query) { q.Scope[31] ^= 1 }},
		{"another name of a filter", func(q *cursor.Query) {
			q.Filters["state"] = q.Filters["status"]
			delete(q.Filters, "status")
		}},
		{"another value of a filter", func(q *cursor.Query) { q.Filters["status"] = []string{"open", "done"} }},
		{"a value more", func(q *cursor.Query) { q.Filters["team"] = []string{"red", "blue"} }},
		{"a value less", func(q *cursor.Query) { q.Filters["status"] = []string{"open"} }},
		{"a filter more", func(q *cursor.Query) { q.Filters["label"] = []string{"x"} }},
		{"a filter without values more", func(q *cursor.Query) { q.Filters["label"] = nil }},
		{"a filter less", func(q *cursor.Query) { delete(q.Filters, "team") }},
		{"values moved to another filter", func(q *cursor.Query) {
			q.Filters = map[string][]string{"status": {"red"}, "team": {"open", "blocked"}}
		}},
		{"no filter at all", func(q *cursor.Query) { q.Filters = nil }},
		{"letters of another case", func(q *cursor.Query) { q.Subject = "User-1" }},
		{"nothing", func(q *cursor.Query) { *q = cursor.Query{} }},
	}
	for _, form := range forms {
		c, l := newCodec(t, cursor.Config{Form: form.form}), tasks(t)
		token := encode(t, c, l.Bind(query()), position())
		for _, change := range changes {
			t.Run(form.name+", "+change.name, func(t *testing.T) {
				q := query()
				change.change(&q)
				mustRefuse(t, c, l.Bind(q), token, cursor.ErrMismatch)
			})
		}
	}
}

func TestFiltersAreSets(t *testing.T) {
	same := []struct {
		name    string
		filters map[string][]string
	}{
		{"as they are", map[string][]string{"status": {"open", "blocked"}, "team": {"red"}}},
		{"in another order", map[string][]string{"team": {"red"}, "status": {"blocked", "open"}}},
		{"with repetitions", map[string][]string{"status": {"open", "blocked", "open", "open"}, "team": {"red", "red"}}},
	}
	c, l := newCodec(t, cursor.Config{}), tasks(t)
	token := encode(t, c, l.Bind(query()), position())
	for _, s := range same {
		t.Run(s.name, func(t *testing.T) {
			q := query()
			q.Filters = s.filters
			mustOpen(t, c, l.Bind(q), token, position())
		})
	}
}

func TestNoFiltersAndAnEmptySetOfFiltersAreTheSameQuery(t *testing.T) {
	c, l := newCodec(t, cursor.Config{}), tasks(t)
	none, empty := query(), query()
	none.Filters, empty.Filters = nil, map[string][]string{}
	mustOpen(t, c, l.Bind(empty), encode(t, c, l.Bind(none), position()), position())
}

func TestBindingNeitherKeepsNorReordersTheCallersFilters(t *testing.T) {
	q := query()
	l := tasks(t)
	c, b := newCodec(t, cursor.Config{}), l.Bind(q)
	if got := q.Filters["status"]; got[0] != "open" || got[1] != "blocked" {
		t.Errorf("Bind reorders the caller's filter to %q", got)
	}
	q.Filters["status"][0] = "done"
	mustOpen(t, c, l.Bind(query()), encode(t, c, b, position()), position())
}

// Each pair writes the same letters in the same order, cut elsewhere.
func TestHashingIsInjective(t *testing.T) {
	pairs := []struct {
		name string
		a, b cursor.Query
	}{
		{"grant and subject", cursor.Query{Grant: "ab", Subject: "c"}, cursor.Query{Grant: "a", Subject: "bc"}},
		{"resource and grant", cursor.Query{Resource: "ab"}, cursor.Query{Resource: "a", Grant: "b"}},
		{"a grant and no subject", cursor.Query{Grant: "a"}, cursor.Query{Subject: "a"}},
		{"values of a filter",
			cursor.Query{Filters: map[string][]string{"f": {"ab", "c"}}},
			cursor.Query{Filters: map[string][]string{"f": {"a", "bc"}}}},
		{"one value and two",
			cursor.Query{Filters: map[string][]string{"f": {"ab"}}},
			cursor.Query{Filters: map[string][]string{"f": {"a", "b"}}}},
		{"a name and its value",
			cursor.Query{Filters: map[string][]string{"fa": {"b"}}},
			cursor.Query{Filters: map[string][]string{"f": {"ab"}}}},
		{"a value and the next name",
			cursor.Query{Filters: map[string][]string{"f": {"a", "g"}, "h": nil}},
			cursor.Query{Filters: map[string][]string{"f": {"a"}, "gh": nil}}},
		{"a value and the next name, in whole words",
			cursor.Query{Filters: map[string][]string{"f": {"a", "g"}, "h": nil}},
			cursor.Query{Filters: map[string][]string{"f": {"a"}, "g": {"h"}}}},
		{"a value that looks like a length",
			cursor.Query{Filters: map[string][]string{"f": {"\x01a"}}},
			cursor.Query{Filters: map[string][]string{"f": {"", "a"}}}},
		{"an empty value and none",
			cursor.Query{Filters: map[string][]string{"f": {""}}},
			cursor.Query{Filters: map[string][]string{"f": {}}}},
		{"a subject and the scope after it",
			cursor.Query{Subject: "a", Scope: [32]byte{'b'}},
			cursor.Query{Subject: "ab"}},
	}
	c, l := newCodec(t, cursor.Config{}), tasks(t)
	for _, p := range pairs {
		t.Run(p.name, func(t *testing.T) {
			mustRefuse(t, c, l.Bind(p.b), encode(t, c, l.Bind(p.a), position()), cursor.ErrMismatch)
		})
	}
}

func TestTheOrderAndTheFieldsOfALayoutAreHashedApart(t *testing.T) {
	// Without its length before it, the second name and its one field would
	// write the same bytes as the first name and its two fields.
	a := newLayout(t, "o", cursor.Field{Kind: cursor.KindEnum, Members: 1}, cursor.Field{Kind: cursor.KindText})
	b := newLayout(t, "o\x02\x05\x00", cursor.Field{Kind: cursor.KindText})
	c := newCodec(t, cursor.Config{})
	token := encode(t, c, a.Bind(query()), cursor.Position{cursor.EnumValue(0), cursor.TextValue("y")})
	mustRefuse(t, c, b.Bind(query()), token, cursor.ErrMismatch)
}

func TestTheZeroBindingRefusesEverything(t *testing.T) {
	var zero cursor.Binding
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			c := newCodec(t, cursor.Config{Form: form.form})
			for _, p := range []cursor.Position{nil, {}, position()} {
				if token, err := c.Encode(zero, p); !errors.Is(err, cursor.ErrUnencodable) {
					t.Errorf("the zero Binding encodes %v to %q, %v", p, token, err)
				}
			}
			mustRefuse(t, c, zero, encode(t, c, tasks(t).Bind(query()), position()), cursor.ErrMismatch)
			mustRefuse(t, c, zero, cursor.Craft(c, zero, []byte{0, 0}), cursor.ErrMismatch)
		})
	}
}

func TestTheZeroLayoutMakesTheZeroBinding(t *testing.T) {
	var l cursor.Layout
	c := newCodec(t, cursor.Config{})
	if token, err := c.Encode(l.Bind(query()), nil); !errors.Is(err, cursor.ErrUnencodable) {
		t.Errorf("a binding of the zero Layout encodes to %q, %v", token, err)
	}
}

func TestALongQueryIsBoundToItsLastByte(t *testing.T) {
	long := make([]byte, 10_000)
	for i := range long {
		long[i] = 'a'
	}
	a, b := query(), query()
	a.Filters["text"] = []string{string(long)}
	long[len(long)-1] = 'b'
	b.Filters["text"] = []string{string(long)}
	c, l := newCodec(t, cursor.Config{}), tasks(t)
	mustRefuse(t, c, l.Bind(b), encode(t, c, l.Bind(a), position()), cursor.ErrMismatch)
}
