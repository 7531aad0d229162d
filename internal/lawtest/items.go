package lawtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// timeMembers are the members of an item that hold a time.
var timeMembers = []string{"createdAt", "updatedAt", "dueDate"}

// plain turns a column's value into what encoding/json makes of its wire form.
func plain(v any) any {
	switch v := v.(type) {
	case *string:
		if v == nil {
			return nil
		}
		return *v
	case *time.Time:
		if v == nil {
			return nil
		}
		return v.UTC()
	case time.Time:
		return v.UTC()
	case document:
		if v == "" {
			return nil
		}
		value, err := decodeNumbers([]byte(v))
		if err != nil {
			panic(fmt.Sprintf("lawtest made the document %s: %v", v, err))
		}
		return value
	}
	return v
}

// decodeNumbers decodes JSON and keeps every digit of its numbers.
func decodeNumbers(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

// decodeItem decodes a row that was listed. Its times must be RFC 3339 in UTC
// with no digit below the microsecond; they become time.Time, to be compared as
// instants, since the contract does not say whether trailing zeros are written.
func decodeItem(raw []byte) (map[string]any, error) {
	v, err := decodeNumbers(raw)
	if err != nil {
		return nil, err
	}
	item, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the row %s is no object", raw)
	}
	for _, name := range timeMembers {
		text, ok := item[name].(string)
		if !ok {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil || !strings.HasSuffix(text, "Z") || at.Nanosecond()%1000 != 0 {
			return nil, fmt.Errorf("%s %q is no RFC 3339 time in UTC exact to the microsecond", name, text)
		}
		item[name] = at
	}
	if score, ok := item["relevanceScore"].(json.Number); ok {
		if item["relevanceScore"], err = score.Float64(); err != nil {
			return nil, err
		}
	}
	return item, nil
}

// decodeItems decodes the rows of one or more pages.
func decodeItems(t *testing.T, raws []json.RawMessage) []map[string]any {
	t.Helper()
	items := make([]map[string]any, 0, len(raws))
	for _, raw := range raws {
		item, err := decodeItem(raw)
		if err != nil {
			t.Fatalf("a listed row cannot be read: %v", err)
		}
		items = append(items, item)
	}
	return items
}

// idsOf names rows in their order.
func idsOf(items []map[string]any) []string {
	ids := make([]string, 0, len(items))
	for _, item := range items {
		id, _ := item["id"].(string)
		ids = append(ids, id)
	}
	return ids
}

// sameRows fails the test unless the rows got are the rows wanted, in the same
// order and member by member. It speaks of ids as long as these differ.
func sameRows(t *testing.T, what string, got, want []map[string]any) {
	t.Helper()
	if gotIDs, wantIDs := idsOf(got), idsOf(want); !slices.Equal(gotIDs, wantIDs) {
		t.Fatalf("%s: %d rows came, %d were due (-due +came):\n%s",
			what, len(got), len(want), cmp.Diff(wantIDs, gotIDs))
	}
	if len(got) == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s: the right rows came with other members (-due +came):\n%s", what, diff)
	}
}
