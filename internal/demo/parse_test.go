package demo

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sound is a fixture that the tests below spoil at one place each.
const sound = `{
	"users": [{"id": "user-1", "name": "Ä ✓", "email": ""}],
	"projects": [{"id": "5F557203-3018-50c5-a38f-d547923a7369", "name": "P", "owner_type": "user", "owner_id": "user-1"}],
	"tasks": [{
		"id": "00000000-0000-0000-0000-000000000001", "title": "T", "description": null, "status": "done", "priority": "low",
		"project_id": "5f557203-3018-50C5-a38f-d547923a7369", "tags": [ 1.50, "a" ], "metadata": null,
		"created_at": "2026-06-24T03:00:00.000001Z", "updated_at": "2026-06-24T03:00:00+00:00"
	}],
	"insights": [{
		"id": "00000000-0000-0000-0000-000000000002", "user_id": "user-1", "content": "c", "source": "s", "category": "k",
		"relevance_score": 0.5, "created_at": "0001-01-01T00:00:00Z", "updated_at": "9999-12-31T23:59:59.999999Z"
	}],
	"preferences": [{
		"id": "00000000-0000-0000-0000-000000000003", "user_id": "user-1", "key": "k", "value": null, "category": "c",
		"mutable": true, "created_at": "2026-06-24T03:00:00Z", "updated_at": "2026-06-24T03:00:00Z"
	}],
	"grants": [{
		"id": "00000000-0000-0000-0000-000000000004", "peer_id": "p", "subject_user_id": "nobody", "status": "active",
		"scope": {"resources": [], "resources": null}, "token": "t"
	}]
}`

func TestASoundFixtureIsReadAsItIs(t *testing.T) {
	t.Parallel()
	user, project := "user-1", "5f557203-3018-50c5-a38f-d547923a7369"
	noon := time.Date(2026, 6, 24, 3, 0, 0, 0, time.UTC)
	want := Data{
		Users:    []User{{"user-1", "Ä ✓", ""}},
		Projects: []Project{{ID: project, Name: "P", OwnerType: "user", OwnerID: &user}},
		Tasks: []Task{{
			ID: "00000000-0000-0000-0000-000000000001", Title: "T", Status: "done", Priority: "low",
			ProjectID: &project, Tags: json.RawMessage(`[1.50,"a"]`),
			CreatedAt: noon.Add(time.Microsecond), UpdatedAt: noon,
		}},
		Insights: []Insight{{
			ID: "00000000-0000-0000-0000-000000000002", UserID: "user-1", Content: "c", Source: "s", Category: "k",
			RelevanceScore: 0.5, CreatedAt: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
			UpdatedAt: time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
		}},
		Preferences: []Preference{{
			ID: "00000000-0000-0000-0000-000000000003", UserID: "user-1", Key: "k", Value: json.RawMessage("null"),
			Category: "c", Mutable: true, CreatedAt: noon, UpdatedAt: noon,
		}},
		Grants: []Grant{{
			ID: "00000000-0000-0000-0000-000000000004", PeerID: "p", SubjectUserID: "nobody", Status: "active",
			Scope: json.RawMessage(`{"resources":[],"resources":null}`), Token: "t",
		}},
	}
	got, err := Parse(strings.NewReader(sound))
	if err != nil {
		t.Fatalf("a sound fixture is refused: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the rows of the fixture (-want +got):\n%s", diff)
	}
}

func TestAWrongFixtureIsRefusedAtItsPlace(t *testing.T) {
	t.Parallel()
	const users, user = `"users": [`, `{"id": "user-1", "name": "Ä ✓", "email": ""}`
	for _, test := range []struct {
		name     string
		old, new string
		want     Error // without its reason
	}{
		{"an unknown table", `"users"`, `"people"`, Error{"people", -1, "", ""}},
		{"a table in other case", `"users"`, `"Users"`, Error{"Users", -1, "", ""}},
		{"a table twice", users, `"users": [], ` + users, Error{"users", -1, "", ""}},
		{"a table that is null", users + user + "]", `"users": null`, Error{"users", -1, "", ""}},
		{"a table that is an object", users + user + "]", `"users": {}`, Error{"users", -1, "", ""}},
		{"a row that is null", user, user + ", null", Error{"users", 1, "", ""}},
		{"a row that is an array", user, "[]", Error{"users", 0, "", ""}},
		{"a row twice", user, user + ", " + user, Error{"users", 1, "id", ""}},
		{"an unknown member", `"email": ""`, `"email": "", "mail": ""`, Error{"users", 0, "mail", ""}},
		{"a member in other case", `"email"`, `"Email"`, Error{"users", 0, "Email", ""}},
		{"a member twice", `"email": ""`, `"email": "", "email": ""`, Error{"users", 0, "email", ""}},
		{"a member left out", `, "email": ""`, ``, Error{"users", 0, "email", ""}},
		{"a required null", `"email": ""`, `"email": null`, Error{"users", 0, "email", ""}},
		{"a number for text", `"email": ""`, `"email": 1`, Error{"users", 0, "email", ""}},
		{"a NUL", `"email": ""`, `"email": "\u0000"`, Error{"users", 0, "email", ""}},
		{"half a surrogate pair", `"email": ""`, `"email": "\ud800"`, Error{"users", 0, "email", ""}},
		{"bytes that are no UTF-8", `"email": ""`, `"email": "` + "\xff" + `"`, Error{"users", 0, "", ""}},
		{"a short UUID", `"5F557203-`, `"5F55720-`, Error{"projects", 0, "id", ""}},
		{"a UUID in braces", `"id": "5F557203-3018-50c5-a38f-d547923a7369"`, `"id": "{5F557203-3018-50c5-a38f-d547923a7369}"`, Error{"projects", 0, "id", ""}},
		{"an owner of no type", `"owner_type": "user"`, `"owner_type": "group"`, Error{"projects", 0, "owner_type", ""}},
		{"an owner who is not there", `"owner_id": "user-1"`, `"owner_id": "user-2"`, Error{"projects", 0, "owner_id", ""}},
		{"a project that is not there", `"project_id": "5f55`, `"project_id": "6f55`, Error{"tasks", 0, "project_id", ""}},
		{"a time that is a number", `"2026-06-24T03:00:00.000001Z"`, `1`, Error{"tasks", 0, "created_at", ""}},
		{"a time that is null", `"2026-06-24T03:00:00.000001Z"`, `null`, Error{"tasks", 0, "created_at", ""}},
		{"a time without a zone", `00.000001Z`, `00.000001`, Error{"tasks", 0, "created_at", ""}},
		{"a time in another zone", `00.000001Z`, `00.000001+02:00`, Error{"tasks", 0, "created_at", ""}},
		{"a nanosecond", `00.000001Z`, `00.000001001Z`, Error{"tasks", 0, "created_at", ""}},
		{"a seventh digit", `00.000001Z`, `00.0000010Z`, Error{"tasks", 0, "created_at", ""}},
		{"an hour of one digit", `T03:00:00.000001Z`, `T3:00:00.000001Z`, Error{"tasks", 0, "created_at", ""}},
		{"a comma in a time", `00.000001Z`, `00,000001Z`, Error{"tasks", 0, "created_at", ""}},
		{"a day that is not", `2026-06-24T03:00:00.000001Z`, `2026-02-30T03:00:00Z`, Error{"tasks", 0, "created_at", ""}},
		{"the year 0", `"0001-01-01`, `"0000-01-01`, Error{"insights", 0, "created_at", ""}},
		{"text for a number", `"relevance_score": 0.5`, `"relevance_score": "0.5"`, Error{"insights", 0, "relevance_score", ""}},
		{"a null for a number", `"relevance_score": 0.5`, `"relevance_score": null`, Error{"insights", 0, "relevance_score", ""}},
		{"a number too large", `"relevance_score": 0.5`, `"relevance_score": 1e999`, Error{"insights", 0, "relevance_score", ""}},
		{"a number for a flag", `"mutable": true`, `"mutable": 1`, Error{"preferences", 0, "mutable", ""}},
		{"a null for a flag", `"mutable": true`, `"mutable": null`, Error{"preferences", 0, "mutable", ""}},
		{"a value left out", `"value": null, `, ``, Error{"preferences", 0, "value", ""}},
		{"a status of no grant", `"status": "active"`, `"status": "on"`, Error{"grants", 0, "status", ""}},
		{"an array of tables", sound, `[]`, Error{}},
		{"null", sound, `null`, Error{}},
		{"nothing", sound, ``, Error{}},
		{"half of it", sound, sound[:len(sound)/2], Error{}},
		{"a second value", sound, sound + "{}", Error{}},
		{"a stray brace", sound, sound + "}", Error{}},
		{"a comma too many", user, user + ",", Error{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if strings.Count(sound, test.old) != 1 {
				t.Fatalf("the fixture does not have %q once", test.old)
			}
			data, err := Parse(strings.NewReader(strings.Replace(sound, test.old, test.new, 1)))
			var got *Error
			if !errors.As(err, &got) {
				t.Fatalf("%q in place of %q gives the error %v", test.new, test.old, err)
			}
			if got.Reason == "" {
				t.Errorf("the error has no reason")
			}
			place := *got
			place.Reason = ""
			if diff := cmp.Diff(test.want, place); diff != "" {
				t.Errorf("the place of %q (-want +got):\n%s", err, diff)
			}
			if diff := cmp.Diff(Data{}, data); diff != "" {
				t.Errorf("beside the error %q there is data:\n%s", err, diff)
			}
		})
	}
}

func TestASourceThatFailsIsNotTakenForAWrongFixture(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	_, err := Parse(io.MultiReader(strings.NewReader(sound[:100]), iotest.ErrReader(broken)))
	var wrong *Error
	if !errors.Is(err, broken) || errors.As(err, &wrong) {
		t.Errorf("a source that fails with %q gives the error %v", broken, err)
	}
}

func TestTheBuiltInWorldIsSoundAndTiesOnPurpose(t *testing.T) {
	t.Parallel()
	data := BuiltIn()
	for _, table := range data.tables() {
		if table.len() == 0 {
			t.Errorf("the built-in world has no %s", table.name)
		}
	}
	for _, unit := range []time.Duration{time.Microsecond, time.Millisecond, time.Second} {
		ties := map[time.Time]int{}
		for _, task := range data.Tasks {
			ties[task.CreatedAt.Truncate(unit)]++
		}
		if len(ties) == len(data.Tasks) {
			t.Errorf("no two tasks of the built-in world are created in the same %s", unit)
		}
	}
}

func TestABuiltInWorldBelongsToItsCaller(t *testing.T) {
	t.Parallel()
	first := BuiltIn()
	first.Users[0].Name = "changed"
	if BuiltIn().Users[0].Name == "changed" {
		t.Error("a change to one built-in world is seen in the next")
	}
}
