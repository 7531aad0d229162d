package listquery

import (
	"errors"
	"strings"
	"testing"

	"github.com/Masterminds/squirrel"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

const soundID = "05000000-0000-4000-8000-0000000000ab"

func TestGetAsksNothingForWhatCannotBeFound(t *testing.T) {
	s := standardStore(t)
	sound := scope.Filter{Resource: "tasks", Subject: "user-1", Personal: true, Limit: 10}
	for name, test := range map[string]struct {
		change func(*scope.Filter)
		id     string
	}{
		"an id that is no uuid":              {id: "7"},
		"an id in capitals":                  {id: strings.ToUpper(soundID)},
		"an id in braces":                    {id: "{" + soundID + "}"},
		"no id":                              {id: ""},
		"a filter without a subject":         {id: soundID, change: func(f *scope.Filter) { f.Subject = "" }},
		"a filter that shows nothing":        {id: soundID, change: func(f *scope.Filter) { f.Personal = false }},
		"a filter of teams where none count": {id: soundID, change: func(f *scope.Filter) { f.Resource, f.Personal, f.Teams = "memory", false, []string{"t"} }},
	} {
		f := sound
		if test.change != nil {
			test.change(&f)
		}
		if row, found, err := s.Get(t.Context(), f, test.id); row != nil || found || err != nil {
			t.Errorf("Get with %s = %s, %t, %v, want nothing without a statement", name, row, found, err)
		}
	}
	if _, _, err := s.Get(t.Context(), sound, soundID); !errors.Is(err, errNoDatabase) {
		t.Errorf("Get of a sound id = %v, want the error of its statement", err)
	}
	sound.Resource = "credentials"
	if _, _, err := s.Get(t.Context(), sound, soundID); !errors.Is(err, ErrUnknownResource) {
		t.Errorf("Get of an unknown resource = %v, want %v", err, ErrUnknownResource)
	}
}

// What a page asks of a row, the statement of one row asks of it too, word for word:
// what stands between WHERE and ORDER BY in the first page of a resource of one table.
func TestTheStatementOfOneRowHasTheConditionsOfAPage(t *testing.T) {
	for _, schema := range []Schema{{}, {TeamsOfMembersOnly: true}, {TasksThroughProjectOnly: true}} {
		for _, d := range dialects {
			for _, s := range []shape{{personal: true, dialect: d}, {teams: true, dialect: d}, {personal: true, teams: true, dialect: d}} {
				tasks, err := Tasks(schema)
				if err != nil {
					t.Fatal(err)
				}
				query, err := tasks.plan.branch(terms{shape: s}, 0, false)
				if err != nil {
					t.Fatal(err)
				}
				page, _, err := query.ToSql()
				if err != nil {
					t.Fatal(err)
				}
				_, conditions, _ := strings.Cut(page, " WHERE ")
				conditions = conditions[:strings.LastIndex(conditions, " ORDER BY ")]
				one, err := tasks.plan.rowQuery(s)
				if err != nil {
					t.Fatal(err)
				}
				text, args, err := one.ToSql()
				if want := ` WHERE t0."id" = ? AND ` + conditions; err != nil || !strings.HasSuffix(text, want) {
					t.Errorf("%s %+v: the statement\n%s\ndoes not end with\n%s", d, s, text, want)
				}
				if args[0] != (slot{kind: positionSlot}) {
					t.Errorf("%s %+v: the first argument is %v and not the key", d, s, args[0])
				}
			}
		}
	}
}

func TestAKeyHasOneSpelling(t *testing.T) {
	for _, test := range []struct {
		kind kind
		id   string
		want bool
	}{
		{uuidKind, soundID, true},
		{uuidKind, strings.ToUpper(soundID), false},
		{uuidKind, soundID + "\n", false},
		{intKind, "0", true},
		{intKind, "-9223372036854775808", true},
		{intKind, "9223372036854775808", false},
		{intKind, "+1", false},
		{intKind, "01", false},
		{intKind, "-0", false},
		{intKind, "1e3", false},
		{intKind, "1_0", false},
		{timeKind, "2026-06-24T03:00:00.000001Z", true},
		{timeKind, "2026-06-24T03:00:00Z", true},
		{timeKind, "2026-06-24T03:00:00.000Z", false},
		{timeKind, "2026-06-24T05:00:00+02:00", false},
		{timeKind, "2026-06-24T03:00:00.0000001Z", false},
		{timeKind, "2026-02-30T03:00:00Z", false},
		{textKind, "any text at all/ü", true},
		{textKind, "a\x00", false},
		{textKind, "\xff", false},
		{boolKind, "true", false},
		{jsonKind, "{}", false},
	} {
		value, ok := parseKey(test.kind, test.id)
		if ok != test.want {
			t.Errorf("%q is a key of type %s: %t, want %t", test.id, test.kind, ok, test.want)
		}
		if ok && value.Kind() != test.kind.cursorKind() {
			t.Errorf("%q of type %s becomes %v", test.id, test.kind, value)
		}
	}
	if v, _ := parseKey(intKind, "-7"); v != cursor.Int64Value(-7) {
		t.Errorf("the key -7 is %v", v)
	}
}

func TestAHostsConditionCannotEscapeItsParenthesesInAGetEither(t *testing.T) {
	d := invoiceDefinition()
	d.Where = squirrel.Expr("state = 'open' OR state = ?", "due")
	r, err := Define(d)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.single) != 6 { // personal rows, teams or both, in two dialects
		t.Errorf("there are %d statements of one row", len(r.single))
	}
	for s, st := range r.single {
		if !strings.Contains(st.sql, "AND (state = 'open' OR state = ") {
			t.Errorf("%+v: the condition is not in parentheses:\n%s", s, st.sql)
		}
	}
}
