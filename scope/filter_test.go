package scope_test

import (
	"testing"

	"github.com/mosaicstack/fedkit/scope"
)

func TestAFilterAllowsOwnedRowsAndPrivateOnesOfTheSubject(t *testing.T) {
	me := []string{"user-2", "user-1"}
	other := []string{"user-2"}
	for _, tt := range []struct {
		name     string
		personal bool
		teams    []string
		row      scope.Facts
		want     bool
	}{
		{"personal row of the subject", true, nil, scope.Facts{Users: me}, true},
		{"personal row without personal access", false, nil, scope.Facts{Users: me}, false},
		{"personal row of somebody else", true, nil, scope.Facts{Users: other}, false},
		{"row of a team", false, []string{"a", "b"}, scope.Facts{Teams: []string{"b"}}, true},
		{"row of several teams, one of them allowed", false, []string{"b"}, scope.Facts{Teams: []string{"a", "b", "c"}}, true},
		{"row of another team", true, []string{"a"}, scope.Facts{Teams: []string{"b"}}, false},
		{"row of a team without teams", true, nil, scope.Facts{Teams: []string{"b"}}, false},
		{"row of somebody else and of a team", true, []string{"a"}, scope.Facts{Users: other, Teams: []string{"a"}}, true},
		{"row of the subject and another team", true, []string{"a"}, scope.Facts{Users: me, Teams: []string{"b"}}, true},
		{"row without owners", true, []string{"a"}, scope.Facts{}, false},
		{"own row without owners", true, []string{"a"}, scope.Facts{Author: "user-1"}, false},
		{"private row of the subject, owned", true, nil, scope.Facts{Users: me, Private: true, Author: "user-1"}, true},
		{"private row of the subject, in a team", false, []string{"a"}, scope.Facts{Teams: []string{"a"}, Private: true, Author: "user-1"}, true},
		{"private row of somebody else, in a team", true, []string{"a"}, scope.Facts{Teams: []string{"a"}, Private: true, Author: "user-2"}, false},
		{"private row of somebody else, owned", true, nil, scope.Facts{Users: me, Private: true, Author: "user-2"}, false},
		{"private row without an author", true, []string{"a"}, scope.Facts{Users: me, Private: true}, false},
		{"private row of the subject without an allowed owner", true, []string{"a"}, scope.Facts{Users: other, Private: true, Author: "user-1"}, false},
		{"team ids in another case", true, []string{"a"}, scope.Facts{Teams: []string{"A"}}, false},
		{"user ids in another case", true, nil, scope.Facts{Users: []string{"User-1"}}, false},
		{"user id that is a team's", true, []string{"user-2"}, scope.Facts{Users: other}, false},
		{"teams out of order", false, []string{"c", "a", "b"}, scope.Facts{Teams: []string{"a"}}, true},
	} {
		f := scope.Filter{Resource: "tasks", Subject: "user-1", Personal: tt.personal, Teams: tt.teams, Limit: 5}
		if got := f.Allows(tt.row); got != tt.want {
			t.Errorf("%s: personal %t, teams %q allow %+v: %t, want %t", tt.name, tt.personal, tt.teams, tt.row, got, tt.want)
		}
	}
}

func TestAnEmptyIdMatchesNothing(t *testing.T) {
	f := scope.Filter{Subject: "u", Teams: []string{""}}
	if !f.Empty() {
		t.Errorf("%+v is not Empty", f)
	}
	for _, row := range []scope.Facts{
		{Users: []string{""}},
		{Teams: []string{""}},
		{Users: []string{""}, Teams: []string{""}, Private: true},
	} {
		if f.Allows(row) {
			t.Errorf("%+v allows %+v", f, row)
		}
	}
}

func TestNothingShowsToNobody(t *testing.T) {
	f := scope.Filter{Personal: true, Teams: []string{"a"}, Limit: 5}
	if !f.Empty() {
		t.Errorf("%+v is not Empty", f)
	}
	for _, row := range []scope.Facts{{Teams: []string{"a"}}, {Teams: []string{"a"}, Private: true}} {
		if f.Allows(row) {
			t.Errorf("%+v allows %+v", f, row)
		}
	}
}

func TestTheZeroFilterShowsNothing(t *testing.T) {
	var f scope.Filter
	if !f.Empty() {
		t.Error("the zero Filter is not Empty")
	}
	for _, row := range rowsOfOwners([]string{"a", ""}) {
		if f.Allows(row) {
			t.Errorf("the zero Filter allows %+v", row)
		}
	}
}

func TestAFilterIsEmptyExactlyIfItAllowsNoRow(t *testing.T) {
	rows := rowsOfOwners([]string{"a", "b"})
	for _, subject := range []string{"", "user-1"} {
		for _, personal := range []bool{false, true} {
			for _, teams := range [][]string{nil, {}, {"a"}, {"b", "a"}, {""}} {
				f := scope.Filter{Subject: subject, Personal: personal, Teams: teams}
				allows := false
				for _, row := range rows {
					allows = allows || f.Allows(row)
				}
				if f.Empty() == allows {
					t.Errorf("%+v: Empty %t, allows a row: %t", f, f.Empty(), allows)
				}
			}
		}
	}
}
