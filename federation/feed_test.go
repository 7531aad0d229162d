package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/cursor"
)

// violations are what a peer may do that the contract does not allow.
var violations = map[string]func(r *fakeReply){
	"disorder":             func(r *fakeReply) { slices.Reverse(r.items) },
	"a repeated key":       func(r *fakeReply) { r.items[1] = r.items[0] },
	"more than the limit":  func(r *fakeReply) { r.items, r.next = r.all(), "" },
	"another's rows":       func(r *fakeReply) { r.replace(`"_source":"local"`, `"_source":"peer:p02"`) },
	"a source as an alias": func(r *fakeReply) { r.replace(`"_source":"local"`, `"_source":"loc\u0061l"`) },
	"no source":            func(r *fakeReply) { r.replace(`,"_source":"local"`, ``) },
	"two sources":          func(r *fakeReply) { r.replace(`"_source":"local"`, `"_source":"local","_source":"local"`) },
	"two keys":             func(r *fakeReply) { r.replace(`"n":`, `"id":"00000000-0000-4000-8000-000000000001","n":`) },
	"a hidden second key":  func(r *fakeReply) { r.replace(`"n":`, `"i\u0064":"00000000-0000-4000-8000-000000000001","n":`) },
	"no key":               func(r *fakeReply) { r.replace(`"id":`, `"no":`) },
	"a key of null":        func(r *fakeReply) { r.items[0] = `{"id":null,"createdAt":null,"_source":"local"}` },
	"a time too fine": func(r *fakeReply) {
		at := time.UnixMicro(r.peer.rows[r.start].micros).UTC()
		r.items[0] = strings.Replace(r.items[0], at.Format(time.RFC3339Nano), at.Add(1).Format(time.RFC3339Nano), 1)
	},
	"a page without end": func(r *fakeReply) {
		if r.token != "" {
			r.next = r.token
		}
	},
	"a partial page": func(r *fakeReply) { r.body = strings.TrimSuffix(r.page(), "}") + `,"_partial":true}` },
	"no way on":      func(r *fakeReply) { r.body = `{"items":[],"_truncated":true}` },
	"an empty page":  func(r *fakeReply) { r.body = `{"items":[],"nextCursor":"x","_truncated":true}` },
	"an empty page of sources": func(r *fakeReply) {
		r.body = `{"items":[],"nextCursor":"x","_truncated":true,"_sources":[]}`
	},
	"a cursor too long":    func(r *fakeReply) { r.next = strings.Repeat("x", maxCursor+1) },
	"a cursor with NUL":    func(r *fakeReply) { r.next = `a\u0000b` },
	"no JSON":              func(r *fakeReply) { r.body = `<html>` },
	"rows behind the page": func(r *fakeReply) { r.body = r.page() + r.page() },
}

func (r *fakeReply) replace(old, new string) {
	for i := range r.items {
		r.items[i] = strings.ReplaceAll(r.items[i], old, new)
	}
}

// all are all rows, whatever the limit.
func (r *fakeReply) all() (items []string) {
	for _, row := range r.peer.rows {
		items = append(items, row.text+`,"_source":"local"}`)
	}
	return items
}

func TestAPeerThatBreaksTheContractIsCutOffAndHidesNothing(t *testing.T) {
	for name, violate := range violations {
		t.Run(name, func(t *testing.T) {
			f := newFederation(t, 3, true)
			want := f.fill(20)
			evil := f.sources[1]
			evil.fault = func(r *fakeReply) {
				if len(r.items) > 1 {
					violate(r)
				}
			}
			got, pages := f.walk(t, 7, nil)
			want = slices.DeleteFunc(want, func(row string) bool { return strings.HasSuffix(row, evil.label()) })
			honest := slices.DeleteFunc(slices.Clone(got), func(row string) bool { return strings.HasSuffix(row, evil.label()) })
			if diff := cmp.Diff(want, honest); diff != "" {
				t.Errorf("the rows of the others (-want +got):\n%s", diff)
			}
			last := pages[len(pages)-1]
			if s := sourceNamed(last, evil.label()); s.State != SourceFailed || s.Code != ErrProtocolViolation || !last.Partial {
				t.Errorf("in the end the peer is %+v, and partial %t", s, last.Partial)
			}
			if name != "a page without end" && evil.asked != 1 {
				t.Errorf("the peer was asked %d times", evil.asked)
			}
		})
	}
}

// The order within one instant is not to be seen where times are cut to milliseconds.
func TestRowsOfOneInstantMayComeInAnyOrder(t *testing.T) {
	f := newFederation(t, 2, false)
	want := f.fill(3)
	for id := range 4 {
		f.sources[0].insert(newFakeRow(2e15, id))
		want = slices.Insert(want, 0, merged([]mergedRow{{newFakeRow(2e15, id), "peer:p01"}})...)
	}
	f.sources[0].fault = func(r *fakeReply) {
		if r.start == 0 && len(r.items) >= 4 {
			r.items[0], r.items[3] = r.items[3], r.items[0]
		}
	}
	got, pages := f.walk(t, 4, nil)
	if diff := cmp.Diff(want, got); diff != "" || pages[0].Partial {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
}

func TestAPeerThatRepeatsAPageIsCutOff(t *testing.T) {
	f := newFederation(t, 2, true)
	want := f.fill(20)
	evil := f.sources[1]
	evil.cap = 3
	evil.fault = func(r *fakeReply) {
		if r.token != "" { // the first page, with a cursor that goes on
			r.items = r.all()[:3]
		}
	}
	got, pages := f.walk(t, 15, nil)
	seen := make(map[string]bool)
	for _, row := range got {
		if seen[row] {
			t.Errorf("%s came twice", row)
		}
		seen[row] = true
	}
	isEvil := func(row string) bool { return strings.HasSuffix(row, evil.label()) }
	if diff := cmp.Diff(slices.DeleteFunc(want, isEvil), slices.DeleteFunc(got, isEvil)); diff != "" {
		t.Errorf("the rows of the others (-want +got):\n%s", diff)
	}
	if s := sourceNamed(pages[0], evil.label()); s.Code != ErrProtocolViolation || !pages[0].Partial {
		t.Errorf("the peer is %+v", s)
	}
}

func TestLocalRowsThatBreakTheRulesAreAFailure(t *testing.T) {
	row := func(n int) json.RawMessage { return json.RawMessage(newFakeRow(1e15, n).text + "}") }
	for name, page := range map[string]Page{
		"too many":     {Items: []json.RawMessage{row(3), row(2), row(1)}},
		"no way on":    {Next: "x"},
		"disorder":     {Items: []json.RawMessage{json.RawMessage(newFakeRow(1e14, 1).text + "}"), row(1)}},
		"with sources": {Items: []json.RawMessage{json.RawMessage(newFakeRow(1e14, 1).text + `,"_source":"peer:p01"}`)}},
		"not UTF-8":    {Items: []json.RawMessage{json.RawMessage(newFakeRow(1e14, 1).text + ",\"a\":\"\xff\"}")}},
		"no object":    {Items: []json.RawMessage{json.RawMessage(`[]`)}},
		"two objects":  {Items: []json.RawMessage{row(1)[:len(row(1)):len(row(1))], append(row(0), row(0)...)}},
	} {
		f := newFederation(t, 1, true)
		f.fill(3)
		r := FanOutRequest{Grant: f.grant, Resource: "tasks", Source: SourceAll, Limit: 2,
			Local: func(context.Context, int, string) (Page, error) { return page, nil }}
		got, err := f.fanOut.List(t.Context(), r)
		if s := sourceNamed(got, "local"); err != nil || s.Code != ErrProtocolViolation || len(got.Items) != 2 {
			t.Errorf("%s: local is %+v, %d rows, %v", name, s, len(got.Items), err)
		}
	}
}

func TestTheOrderOfMemoryHasTwoBlocks(t *testing.T) {
	order, err := newOrdering("memory", StandardOrders()["memory"])
	if err != nil {
		t.Fatal(err)
	}
	id := `"id":"00000000-0000-4000-8000-00000000000`
	inOrder := []string{
		`{` + id + `1","type":"insight","createdAt":"2026-01-01T00:00:00.000002Z"}`,
		`{` + id + `2","content":"of a peer without types","createdAt":"2026-01-01T00:00:00.000001Z"}`,
		`{` + id + `1","content":"the same","key":"and a key","type":"insight","createdAt":"2026-01-01T00:00:00.000001Z"}`,
		`{` + id + `3","type":"preference","createdAt":"2026-02-01T01:00:00+01:00"}`,
		`{` + id + `2","type":"preference","createdAt":"2026-02-01T00:00:00Z"}`,
		`{` + id + `4","key":"of a peer without types","value":1,"createdAt":"2026-01-01T00:00:00Z"}`,
	}
	var keys []cursor.Position
	for _, object := range inOrder {
		row, err := order.row(json.RawMessage(object), make(cursor.Position, order.width()))
		if err != nil {
			t.Fatalf("%s: %v", object, err)
		}
		keys = append(keys, row.key)
	}
	for i := range keys {
		for j := range keys {
			if got := order.compare(keys[i], keys[j]); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%s and %s compare as %d", inOrder[i], inOrder[j], got)
			}
		}
	}
	for _, object := range []string{`{` + id + `1","createdAt":"2026-01-01T00:00:00Z"}`, `{` + id + `1","type":"secret","content":"","createdAt":"2026-01-01T00:00:00Z"}`} {
		if row, err := order.row(json.RawMessage(object), make(cursor.Position, order.width())); err == nil {
			t.Errorf("%s is of the block %v", object, row.key[0])
		}
	}
}

func TestAnOrderOfOneFieldIsKept(t *testing.T) {
	order, err := newOrdering("numbers", Order{Fields: []OrderField{{"n", cursor.KindInt64}}, Ascending: true})
	if err != nil {
		t.Fatal(err)
	}
	f := &feed{chainSource: &chainSource{name: "peer:b"}, order: order}
	row := func(n int) json.RawMessage { return fmt.Appendf(nil, `{"n":%d,"_source":"local"}`, n) }
	if rows, err := f.check([]json.RawMessage{row(1), row(2), row(30)}); err != nil || len(rows) != 3 {
		t.Errorf("rows in order: %v", err)
	}
	for _, rows := range [][]json.RawMessage{{row(2), row(1)}, {row(1), row(1)}} {
		if _, err := f.check(rows); !errors.Is(err, errDisorder) {
			t.Errorf("%s: %v", rows, err)
		}
	}
}

// A page that is put together in no time waits for nothing, and still takes what is there.
func TestANearerCursorThatHasComeIsNeverTooLate(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	for range 100 { // a select of two that are ready takes either
		answered := make(chan renewal, 1)
		f := &feed{renewed: answered}
		if got := f.awaited(ended); got != (renewal{}) {
			t.Fatalf("nothing has come, and it is %+v", got)
		}
		answered <- renewal{"nearer", 3}
		if got := f.awaited(ended); got != (renewal{"nearer", 3}) {
			t.Fatalf("the cursor that has come is %+v", got)
		}
	}
}
