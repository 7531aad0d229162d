package listquery

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/cursor"
)

// encodings are rows with everything that makes encoders differ.
var encodings = struct {
	text   string
	id     cursor.UUID
	at     time.Time
	number float64
	yes    bool
	json   json.RawMessage
}{
	text:   "<a href=\"x\">\\ \x00\x1f\u2028 é ✓ 𝄞</a>\xff",
	id:     cursor.UUID{1, 2, 3, 0xff},
	at:     time.Date(2026, 6, 24, 3, 0, 0, 999_000, time.FixedZone("", 3600)).UTC(),
	number: 0.1,
	yes:    true,
	json:   json.RawMessage(` {"a": [1, null, "é"]} `),
}

func TestTasksAndNotesAreEncodedAsEncodingJSONWould(t *testing.T) {
	e := &encodings
	tasks := objectOf(taskColumns(hostTable{}))
	for _, task := range []Task{
		{},
		{ID: e.id, Title: e.text, Description: &e.text, Status: e.text, Priority: e.text, ProjectID: &e.id, MissionID: &e.id,
			Assignee: &e.text, Tags: e.json, DueDate: &e.at, Metadata: e.json, CreatedAt: e.at, UpdatedAt: e.at},
	} {
		compareEncodings(t, tasks, &task)
	}
	notes := objectOf(noteColumns(hostTable{}))
	for _, note := range []Note{
		{},
		{ID: e.id, MissionID: &e.id, TaskID: &e.id, Status: e.text, Content: e.text, CreatedAt: e.at, UpdatedAt: e.at},
	} {
		compareEncodings(t, notes, &note)
	}
}

func compareEncodings[T any](t *testing.T, o object[T], row *T) {
	t.Helper()
	want, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	got, err := o.append(nil, row)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decoded(t, want), decoded(t, got)); diff != "" {
		t.Errorf("%T is not encoded as encoding/json does it (-want +got):\n%s", row, diff)
	}
}

func decoded(t *testing.T, text []byte) (value any) {
	t.Helper()
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%s is not JSON: %v", text, err)
	}
	return value
}

func TestAMemoryItemHasTheMembersOfItsTypeAndNoOthers(t *testing.T) {
	e := &encodings
	full := MemoryItem{
		ID: e.id, Kind: "k", CreatedAt: e.at, UpdatedAt: e.at,
		Content: &e.text, Category: &e.text, RelevanceScore: &e.number, Metadata: e.json,
		Key: &e.text, Value: e.json, Source: &e.text, Mutable: &e.yes,
	}
	members := map[MemoryType]string{
		Insight:    "category content createdAt id kind metadata relevanceScore type updatedAt",
		Preference: "createdAt id key kind mutable source type updatedAt value",
	}
	for kind, want := range members {
		for name, item := range map[string]MemoryItem{"full": full, "empty": {}} {
			item.Type = kind
			text, err := json.Marshal(item)
			if err != nil {
				t.Fatal(err)
			}
			object := decoded(t, text).(map[string]any)
			if got := sortedKeys(object); got != want {
				t.Errorf("%s %s has the members %s, want %s", name, kind, got, want)
			}
			if object["type"] != string(kind) {
				t.Errorf("%s %s says that it is %v", name, kind, object["type"])
			}
		}
	}
	if _, err := json.Marshal(MemoryItem{}); err == nil {
		t.Error("a memory item of no type was encoded")
	}
}

func TestWhatJSONCannotSayIsAnErrorAndNeverABrokenPage(t *testing.T) {
	infinity, far := math.Inf(1), time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	broken := json.RawMessage(`{"a":1},{"b":2`)
	for name, field := range map[string]any{
		"an infinite number":   &infinity,
		"the year 10000":       &far,
		"two broken documents": &broken,
		"an empty document":    &json.RawMessage{},
	} {
		if text, err := appendValue(nil, field); err == nil {
			t.Errorf("%s was encoded as %s", name, text)
		}
	}
}

func TestANumberThatJSONCannotSayIsNullWhereNullMayStand(t *testing.T) {
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		pointer := &f
		if text, err := appendValue(nil, &pointer); err != nil || string(text) != "null" {
			t.Errorf("%v is encoded as %s, %v, want null", f, text, err)
		}
	}
}

func FuzzStringsAreEncodedAsEncodingJSONWould(f *testing.F) {
	for _, seed := range []string{"", "plain", encodings.text, "\u2029", "\xed\xa0\x80", strings.Repeat("é", 100)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendString(nil, s); decoded(t, got) != decoded(t, want) {
			t.Errorf("%q is encoded as %s, and by encoding/json as %s", s, got, want)
		}
	})
}

func sortedKeys(object map[string]any) string {
	return strings.Join(slices.Sorted(maps.Keys(object)), " ")
}
