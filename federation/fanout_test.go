package federation

import (
	gocmp "cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// fill gives each source rows that take turns, the newest first at source 0, and returns
// the merged list.
func (f *fakeFederation) fill(each int) []string {
	var all []mergedRow
	for i := range each {
		for s, p := range f.sources {
			row := newFakeRow(int64(1e15)-int64(i*len(f.sources)+s), i)
			p.insert(row)
			all = append(all, mergedRow{row, p.label()})
		}
	}
	slices.SortFunc(all, mergedRow.compare)
	return merged(all)
}

func merged(rows []mergedRow) []string {
	texts := make([]string, len(rows))
	for i, r := range rows {
		texts[i] = fmt.Sprintf("%d %s %s", r.micros, r.id, r.source)
	}
	return texts
}

// walk reads the whole list and calls before each page, if that is not nil.
func (f *fakeFederation) walk(t *testing.T, limit int, before func(page int)) (rows []string, pages []Page) {
	t.Helper()
	token := ""
	for n := 0; n == 0 || token != ""; n++ {
		if before != nil {
			before(n)
		}
		page, err := f.list(t.Context(), limit, token)
		if err != nil {
			t.Fatalf("page %d: %v", n, err)
		}
		for _, item := range page.Items {
			rows = append(rows, merged([]mergedRow{readMerged(t, item)})...)
		}
		pages = append(pages, page)
		token = page.Next
	}
	return rows, pages
}

func TestOneListOverManyGateways(t *testing.T) {
	for _, peers := range []int{1, 2, 15} {
		for _, limit := range []int{1, 7, 50, 1000} {
			f := newFederation(t, peers, true)
			want := f.fill(23)
			got, pages := f.walk(t, limit, nil)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%d peers, pages of %d (-want +got):\n%s", peers, limit, diff)
			}
			for n, page := range pages {
				if n < len(pages)-1 && len(page.Items) != limit || page.Partial {
					t.Errorf("%d peers: page %d has %d rows of %d, partial %t", peers, n, len(page.Items), limit, page.Partial)
				}
			}
		}
	}
}

func TestTiesBetweenSourcesGoByName(t *testing.T) {
	for limit := 1; limit < 9; limit++ {
		f := newFederation(t, 3, true)
		for id := range 5 {
			for _, p := range f.sources {
				p.insert(newFakeRow(1e15, id))
			}
		}
		got, _ := f.walk(t, limit, nil)
		if len(got) != 20 {
			t.Fatalf("pages of %d: %d of 20 rows", limit, len(got))
		}
		for i, row := range got {
			if want := f.sources[i%4].label(); !strings.HasSuffix(row, " "+want) {
				t.Errorf("pages of %d: the row %d is %s and not of %s", limit, i, row, want)
			}
		}
	}
}

func TestAFailedSourceIsNamedAndTheOthersStayComplete(t *testing.T) {
	f := newFederation(t, 3, true)
	want := f.fill(20)
	got, pages := f.walk(t, 10, func(page int) {
		if page == 2 {
			f.sources[2].fault = func(r *fakeReply) { r.err = errors.New("connection refused") }
		}
	})
	lost := "peer:p02"
	healthy := func(rows []string) []string {
		return slices.DeleteFunc(slices.Clone(rows), func(row string) bool { return strings.HasSuffix(row, lost) })
	}
	if diff := cmp.Diff(healthy(want), healthy(got)); diff != "" {
		t.Errorf("the rows of the others (-want +got):\n%s", diff)
	}
	for n, page := range pages {
		if page.Partial != (n >= 2) {
			t.Errorf("page %d: partial is %t", n, page.Partial)
		}
		status := sourceNamed(page, lost)
		if n >= 2 && status.State != SourceFailed && status.State != SourceSkipped {
			t.Errorf("page %d: %+v", n, status)
		}
	}
	if status := sourceNamed(pages[2], lost); status.Code != ErrUnreachable {
		t.Errorf("it failed with the code %q", status.Code)
	}
}

func TestASourceThatComesBackGoesOnBehindWhatWasGiven(t *testing.T) {
	f := newFederation(t, 2, true)
	want := f.fill(30)
	got, pages := f.walk(t, 9, func(page int) {
		f.sources[1].fault = nil
		f.sleep(firstBreak)
		if page == 1 || page == 2 {
			f.sources[1].fault = func(r *fakeReply) { r.status, r.body = 503, "{}" }
		}
	})
	// The pages 1 and 2 have the rows 9 to 27 of the others; what p01 has between them
	// is lost, and that is said from then on.
	ofP01 := func(rows []string) (own []string) {
		for _, row := range rows {
			if strings.HasSuffix(row, "peer:p01") {
				own = append(own, row)
			}
		}
		return own
	}
	all, seen := ofP01(want), ofP01(got)
	if len(seen) != 21 || !slices.Equal(seen[:3], all[:3]) || !slices.Equal(seen[3:], all[12:]) {
		t.Errorf("of the rows %v came %v", all, seen)
	}
	for n, page := range pages {
		if page.Partial != (n >= 1) {
			t.Errorf("page %d: partial is %t", n, page.Partial)
		}
	}
	if status := sourceNamed(pages[3], "peer:p01"); status.State != SourceOK {
		t.Errorf("back again, the source is %+v", status)
	}
}

func TestAllFailedIsNeverAnEmptyList(t *testing.T) {
	f := newFederation(t, 2, true)
	f.fill(5)
	for _, p := range f.sources {
		p.fault = func(r *fakeReply) { r.err = errors.New("connection refused") }
	}
	page, err := f.list(t.Context(), 10, "")
	var failed *SourcesError
	if !errors.Is(err, ErrUnavailable) || !errors.As(err, &failed) || len(failed.Sources) != 3 || len(page.Items) != 0 {
		t.Errorf("all sources failed: %v, %v", page, err)
	}
	// A grant that shows nothing here has no rows, which is not that a source answered.
	page, err = f.fanOut.List(t.Context(), FanOutRequest{Grant: f.grant, Resource: "tasks", Source: SourceAll, Limit: 9})
	if !errors.Is(err, ErrUnavailable) {
		t.Errorf("all peers failed, and the grant shows nothing here: %v, %v", page, err)
	}
	f.fanOut.Abort = true
	f.sources[0].fault, f.sources[1].fault = nil, nil
	if page, err = f.list(t.Context(), 10, ""); !errors.Is(err, ErrUnavailable) {
		t.Errorf("one source failed, which the host does not accept: %v, %v", page, err)
	}
}

func TestAnEmptyFederationIsAnEmptyList(t *testing.T) {
	f := newFederation(t, 2, true)
	page, err := f.list(t.Context(), 10, "")
	if err != nil || len(page.Items) != 0 || page.Next != "" || page.Partial {
		t.Errorf("the list is %+v: %v", page, err)
	}
	for _, s := range page.Sources {
		if s.State != SourceExhausted {
			t.Errorf("%+v", s)
		}
	}
}

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
	"a time too fine":      func(r *fakeReply) { r.items[0] = strings.Replace(r.items[0], "Z\"", "5Z\"", 1) },
	"a page without end":   func(r *fakeReply) { r.next = gocmp.Or(r.token, r.next) },
	"no way on":            func(r *fakeReply) { r.body = `{"items":[],"_truncated":true}` },
	"an empty page":        func(r *fakeReply) { r.body = `{"items":[],"nextCursor":"x","_truncated":true}` },
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

func TestAPeerWithNewKeysIsReadFromItsStartAgain(t *testing.T) {
	f := newFederation(t, 2, true)
	want := f.fill(20)
	got, pages := f.walk(t, 7, func(page int) {
		if page == 3 {
			f.sources[1].generation++ // its cursors are refused from now on
		}
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
	if pages[len(pages)-1].Partial {
		t.Error("nothing was lost, and the list is partial")
	}
}

func TestASourceThatFailsInTheMiddleOfAPageLosesNothing(t *testing.T) {
	f := newFederation(t, 2, true)
	want := f.fill(20)
	p := f.sources[1]
	p.cap = 3 // a page of the list needs several of its pages
	got, pages := f.walk(t, 12, func(page int) {
		p.fault, p.after = nil, 0
		if page == 1 {
			p.fault, p.after = func(r *fakeReply) { r.err = errors.New("reset") }, 1
		}
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
	if n := len(pages[1].Items); n == 0 || n >= 12 || pages[1].Partial {
		t.Errorf("the page in which it failed has %d rows, partial %t", n, pages[1].Partial)
	}
	if !p.hit {
		t.Error("it did not fail")
	}
}

func TestThePeersAreThoseOfTheFirstPage(t *testing.T) {
	f := newFederation(t, 3, true)
	f.fill(10)
	all := f.peers
	f.peers = all[:2]
	_, pages := f.walk(t, 4, func(page int) {
		switch page {
		case 2:
			f.peers = all // a new one
		case 4:
			f.peers = all[1:] // and one is gone
		}
	})
	for n, page := range pages {
		if s := sourceNamed(page, "peer:p03"); s.Name != "" {
			t.Errorf("page %d has the source %+v", n, s)
		}
		gone := sourceNamed(page, "peer:p01")
		if want := n >= 4; page.Partial != want || (gone.Code == ErrUnknownSource) != want {
			t.Errorf("page %d: partial %t, %+v", n, page.Partial, gone)
		}
	}
}

func TestADeadPeerIsLeftAloneForAWhile(t *testing.T) {
	f := newFederation(t, 2, true)
	f.fill(10)
	dead := f.sources[1]
	down := func(r *fakeReply) { r.err = errors.New("connection refused") }
	status := func() SourceStatus {
		t.Helper()
		page, err := f.list(t.Context(), 3, "")
		if err != nil {
			t.Fatal(err)
		}
		return sourceNamed(page, "peer:p01")
	}
	dead.fault = down
	for range breakAfter {
		if s := status(); s.State != SourceFailed || s.Code != ErrUnreachable {
			t.Errorf("the dead peer is %+v", s)
		}
	}
	if s := status(); s.State != SourceSkipped || s.Code != ErrCircuitOpen || dead.asked != breakAfter {
		t.Errorf("after %d requests it is %+v", dead.asked, s)
	}
	f.sleep(firstBreak)
	if s := status(); s.State != SourceFailed || dead.asked != breakAfter+1 {
		t.Errorf("after a break and %d requests it is %+v", dead.asked, s)
	}
	f.sleep(firstBreak)
	if s := status(); s.State != SourceSkipped {
		t.Errorf("the second break is not longer than the first: %+v", s)
	}
	f.sleep(firstBreak)
	dead.fault = nil
	for range 2 {
		if s := status(); s.State != SourceOK {
			t.Errorf("back again, it is %+v", s)
		}
	}
}

func TestARefusalDoesNotBreakTheCircuit(t *testing.T) {
	f := newFederation(t, 1, true)
	f.fill(3)
	f.sources[1].fault = func(r *fakeReply) { r.status, r.body = 403, `{"error":{"code":"forbidden","message":"m"}}` }
	for n := range 3 * breakAfter {
		page, err := f.list(t.Context(), 3, "")
		if s := sourceNamed(page, "peer:p01"); err != nil || s.State != SourceDenied || s.Code != ErrForbidden || f.sources[1].asked != n+1 {
			t.Errorf("the refusal %d is %+v: %v", n, s, err)
		}
	}
}

func TestACompositeCursorIsBoundToItsList(t *testing.T) {
	f := newFederation(t, 2, true)
	f.fill(10)
	page, err := f.list(t.Context(), 3, "")
	if err != nil {
		t.Fatal(err)
	}
	good := FanOutRequest{Grant: f.grant, Resource: "tasks", Source: SourceAll, Limit: 3, Cursor: page.Next, Local: f.sources[0].ReadLocal}
	if _, err := f.fanOut.List(t.Context(), good); err != nil {
		t.Fatalf("the next page: %v", err)
	}
	for name, change := range map[string]func(*FanOutRequest){
		"resource": func(r *FanOutRequest) { r.Resource = "notes" },
		"source":   func(r *FanOutRequest) { r.Source = "peer:p01" },
		"grant":    func(r *FanOutRequest) { r.Grant.ID = "grant-2" },
		"subject":  func(r *FanOutRequest) { r.Grant.Subject = "user-2" },
		"scope":    func(r *FanOutRequest) { r.Grant.Scope = mustScope(grantedScope) },
		"one bit": func(r *FanOutRequest) {
			b := []byte(r.Cursor)
			b[len(b)/2] ^= 1
			r.Cursor = string(b)
		},
	} {
		r := good
		change(&r)
		if _, err := f.fanOut.List(t.Context(), r); !errors.Is(err, cursor.ErrInvalid) {
			t.Errorf("with another %s: %v", name, err)
		}
	}
	r := good
	r.Resource = "invoices"
	if _, err := f.fanOut.List(t.Context(), r); !errors.Is(err, ErrNoOrder) {
		t.Errorf("a resource without an order: %v", err)
	}
	r = good
	r.Source, r.Cursor = "peer:nobody", ""
	if _, err := f.fanOut.List(t.Context(), r); !errors.Is(err, ErrInvalidSource) {
		t.Errorf("a peer that is none: %v", err)
	}
}

func TestACursorHoldsTheCursorsOf64Peers(t *testing.T) {
	f := newFederation(t, 64, true)
	want := f.fill(8)
	for _, p := range f.sources[1:] {
		p.filler = strings.Repeat("x", 110) // 240 characters of cursor
	}
	if n := len(f.sources[1].token(f.sources[1].rows[0])); n < 220 || n > 260 {
		t.Fatalf("the cursors of the peers have %d characters", n)
	}
	longest := 0
	got, pages := f.walk(t, 8, nil)
	for _, page := range pages {
		longest = max(longest, len(page.Next))
	}
	if diff := cmp.Diff(want, got); diff != "" || longest < 64*220 || longest > defaultFanOutCursor {
		t.Errorf("with a cursor of %d characters (-want +got):\n%s", longest, diff)
	}
}

// A peer with cursors that crowd the others out is given up, and nobody else.
func TestALongCursorCrowdsNobodyOut(t *testing.T) {
	f := newFederation(t, 64, true, func(cfg *FanOutConfig) { cfg.MaxCursor = 16 << 10 })
	want := f.fill(8)
	for i, p := range f.sources[1:] {
		if i%16 == 0 {
			p.filler = strings.Repeat("x", 3000)
		}
	}
	crowding := func(row string) bool {
		_, name, _ := strings.Cut(row, " peer:p")
		return name == "01" || name == "17" || name == "33" || name == "49"
	}
	got, pages := f.walk(t, 8, nil)
	if diff := cmp.Diff(slices.DeleteFunc(want, crowding), slices.DeleteFunc(got, crowding)); diff != "" {
		t.Errorf("the rows of the others (-want +got):\n%s", diff)
	}
	given := 0
	for n, page := range pages {
		for _, s := range page.Sources {
			if s.Code == ErrCursorTooLong && s.State == SourceFailed && crowding(" "+s.Name) && page.Partial {
				given++
			} else if s.Code != "" {
				t.Errorf("page %d: %+v, partial %t", n, s, page.Partial)
			}
		}
	}
	if given == 0 {
		t.Error("the cursors had room for all")
	}
}

func TestRowsAreNeitherRepeatedNorFetchedOften(t *testing.T) {
	for _, c := range []struct {
		name    string
		sources int
		turn    func(i, sources int) int // the source of row i
	}{
		{"two that take turns", 2, func(i, n int) int { return i % n }},
		{"one of two has most", 2, func(i, n int) int { return min(i%5, 1) }},
		{"eight that take turns", 8, func(i, n int) int { return i % n }},
		{"one of eight has most", 8, func(i, n int) int { return max(0, i%20-12) }},
		{"one behind the other", 4, func(i, n int) int { return i / 500 % n }},
		{"bursts", 8, func(i, n int) int { return i / 17 % n }},
	} {
		const rows, limit = 4000, 50
		f := newFederation(t, c.sources-1, true)
		for i := range rows {
			f.sources[c.turn(i, c.sources)].insert(newFakeRow(1e15-int64(i), i))
		}
		got, pages := f.walk(t, limit, nil)
		if len(got) != rows || len(pages) != rows/limit {
			t.Fatalf("%s: %d of %d rows on %d pages", c.name, len(got), rows, len(pages))
		}
		fetched, asked := 0, 0
		for _, p := range f.sources {
			fetched += p.given
			asked += p.asked
		}
		per := float64(fetched) / float64(len(pages)) / float64(c.sources)
		t.Logf("%s: %.0f rows and %.2f requests per source and page of %d", c.name, per, float64(asked)/float64(len(pages))/float64(c.sources), limit)
		if per > 2*limit {
			t.Errorf("%s: %.0f rows are fetched per source and page of %d", c.name, per, limit)
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

func TestSourcesAreParsed(t *testing.T) {
	for text, want := range map[string]Source{
		"local": "local", "all": "all", "peer:b": "peer:b", "federated:gw-1.example": "peer:gw-1.example",
		"": "", "Local": "", "peer:": "", "peer:a b": "", "peer:.a": "", "peer": "", "peer:peer:a": "", "all ": "",
		"peer:" + strings.Repeat("x", 65): "", "peer:\u00e4": "", "peer:a\n": "",
	} {
		got, err := ParseSource(text)
		if got != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, ErrInvalidSource) {
			t.Errorf("%q is %q: %v", text, got, err)
		}
	}
}

func TestBadPeersOfTheHostAreAnError(t *testing.T) {
	f := newFederation(t, 65, true)
	for name, peers := range map[string][]Peer{
		"too many":      f.peers,
		"a bad name":    {{"a:b", f.peers[0].Client}},
		"one twice":     {f.peers[0], f.peers[0]},
		"one of nobody": {{"a", nil}},
	} {
		f.peers = peers
		if _, err := f.list(t.Context(), 3, ""); err == nil || errors.Is(err, ErrInvalidSource) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASlowSourceDoesNotHoldUpTheOthers(t *testing.T) {
	f := newFederation(t, 2, true, func(cfg *FanOutConfig) { cfg.SourceTimeout = 100 * time.Millisecond })
	f.fill(5)
	slow := &slowTransport{inner: f.sources[1]}
	f.peers[0].Client = newFakeClient(t, slow)
	began := time.Now()
	page, err := f.list(t.Context(), 5, "")
	if took := time.Since(began); err != nil || took > 2*time.Second {
		t.Fatalf("a page took %v: %v", took, err)
	}
	if s := sourceNamed(page, "peer:p01"); s.State != SourceFailed || s.Code != ErrTimeout || !page.Partial || len(page.Items) == 0 {
		t.Errorf("the slow peer is %+v; %d rows", s, len(page.Items))
	}
	// Nor does the time of the whole page run out with it.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if page, err = f.list(ctx, 5, ""); err != nil || ctx.Err() != nil || !page.Partial {
		t.Errorf("the page came too late: %v, %v", err, ctx.Err())
	}
}

func TestFewRequestsAreUnderWayAtOnce(t *testing.T) {
	f := newFederation(t, 16, false, func(cfg *FanOutConfig) { cfg.Concurrent = 3 })
	f.fill(2)
	var mu sync.Mutex
	now, most := 0, 0
	for i := range f.peers {
		f.peers[i].Client = newFakeClient(t, &countingTransport{inner: f.sources[i], count: func(d int) {
			mu.Lock()
			defer mu.Unlock()
			now += d
			most = max(most, now)
		}})
	}
	if page, err := f.list(t.Context(), 50, ""); err != nil || len(page.Items) != 32 || most > 3 || most == 0 {
		t.Errorf("%d requests at once; %d rows, %v", most, len(page.Items), err)
	}
}

func TestAPanicOfASourceIsItsFailure(t *testing.T) {
	f := newFederation(t, 1, true)
	f.fill(3)
	r := FanOutRequest{Grant: f.grant, Resource: "tasks", Source: SourceAll, Limit: 9,
		Local: func(context.Context, int, string) (Page, error) { panic("lister") }}
	page, err := f.fanOut.List(t.Context(), r)
	if s := sourceNamed(page, "local"); err != nil || s.State != SourceFailed || s.Code != ErrInternal || len(page.Items) != 3 {
		t.Errorf("the page is %+v: %v", page, err)
	}
	f.fanOut.Peers = func(context.Context, scope.Grant) ([]Peer, error) { panic("peers") }
	if _, err := f.list(t.Context(), 3, ""); err == nil {
		t.Error("peers that cannot be told make a list")
	}
}

func TestAnIncompleteFanOutConfigIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*FanOutConfig){
		"no peers":        func(c *FanOutConfig) { c.Peers = nil },
		"no keys":         func(c *FanOutConfig) { c.Keys = nil },
		"no key":          func(c *FanOutConfig) { c.Keys = new(cursor.Keyring) },
		"negative time":   func(c *FanOutConfig) { c.SourceTimeout = -1 },
		"negative number": func(c *FanOutConfig) { c.Concurrent = -1 },
		"negative length": func(c *FanOutConfig) { c.MaxCursor = -1 },
		"too short":       func(c *FanOutConfig) { c.MaxCursor = 10 },
		"no field":        func(c *FanOutConfig) { c.Orders = map[string]Order{"x": {}} },
		"a field of no kind": func(c *FanOutConfig) {
			c.Orders = map[string]Order{"x": {Fields: []OrderField{{"a", cursor.KindEnum}}}}
		},
		"a field of no name": func(c *FanOutConfig) { c.Orders = map[string]Order{"x": {Fields: []OrderField{{"", cursor.KindText}}}} },
		"a field twice": func(c *FanOutConfig) {
			c.Orders = map[string]Order{"x": {Fields: []OrderField{{"a", cursor.KindText}, {"a", cursor.KindText}}}}
		},
	} {
		cfg := FanOutConfig{Peers: func(context.Context, scope.Grant) ([]Peer, error) { return nil, nil }, Keys: fanOutKeys}
		if _, err := NewFanOut(cfg); err != nil {
			t.Fatal(err)
		}
		spoil(&cfg)
		if _, err := NewFanOut(cfg); err == nil {
			t.Errorf("%s passes", name)
		}
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
	if len(got) <= 40 || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("%d rows came, or one of them twice", len(got))
	}
	isEvil := func(row string) bool { return strings.HasSuffix(row, evil.label()) }
	if diff := cmp.Diff(slices.DeleteFunc(want, isEvil), slices.DeleteFunc(got, isEvil)); diff != "" {
		t.Errorf("the rows of the others (-want +got):\n%s", diff)
	}
	if s := sourceNamed(pages[0], evil.label()); s.Code != ErrProtocolViolation || !pages[0].Partial {
		t.Errorf("the peer is %+v", s)
	}
}

// A source that was away for long is passed over page by page, and named until it is there.
func TestASourceThatIsFarBehindCatchesUp(t *testing.T) {
	f := newFederation(t, 1, true)
	for i := range 600 {
		for _, p := range f.sources {
			p.insert(newFakeRow(1e15-int64(i), i))
		}
	}
	p := f.sources[1]
	p.cap = 4 // so that 16 pages are 64 rows
	codes := make(map[ErrorCode]int)
	_, pages := f.walk(t, 30, func(page int) {
		p.fault = nil
		f.sleep(longestRest)
		if page < 4 {
			p.fault = func(r *fakeReply) { r.err = errors.New("down") }
		}
	})
	first := 0
	for n, page := range pages {
		s := sourceNamed(page, "peer:p01")
		codes[s.Code]++
		if s.State == SourceOK && first == 0 {
			first = n
		}
		if !page.Partial {
			t.Errorf("page %d is not partial", n)
		}
	}
	if codes[ErrUnreachable] != 4 || codes[ErrCatchingUp] < 1 || first == 0 || first > 10 {
		t.Errorf("it is back on page %d; before that %v", first, codes)
	}
}

// A page takes one answer of its slowest source, whatever the sources repeat and renew.
func TestAPageTakesAsLongAsItsSlowestSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFederation(t, 8, false)
		f.fill(120)
		for i := range f.peers {
			f.peers[i].Client = newFakeClient(t, &lateTransport{f.sources[i], time.Duration(10+i) * time.Millisecond})
		}
		began := time.Now()
		_, pages := f.walk(t, 50, nil)
		if took, want := time.Since(began), time.Duration(len(pages))*17*time.Millisecond; took != want {
			t.Errorf("%d pages take %v, and the answers of the slowest source %v", len(pages), took, want)
		}
	})
}

func TestLocalRowsThatBreakTheRulesAreAFailure(t *testing.T) {
	row := func(n int) json.RawMessage { return json.RawMessage(newFakeRow(1e15, n).text + "}") }
	for name, page := range map[string]Page{
		"too many":     {Items: []json.RawMessage{row(3), row(2), row(1)}},
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
