package federation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

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
	f.fanOut.cfg.Abort = true
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

func TestSourcesAreParsed(t *testing.T) {
	for text, want := range map[string]Source{
		"local": "local", "all": "all", "peer:b": "peer:b", "federated:gw-1.example": "peer:gw-1.example",
		"": "", "Local": "", "peer:": "", "peer:a b": "", "peer:.a": "", "peer": "", "peer:peer:a": "", "all ": "",
		"peer:" + strings.Repeat("x", 65): "", "peer:\u00e4": "", "peer:a\n": "",
	} {
		text = strings.Clone(text) // no constant, as what a client sends is none
		got, err := ParseSource(text)
		if got != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, ErrInvalidSource) {
			t.Errorf("%q is %q: %v", text, got, err)
		}
		if err == nil && unsafe.StringData(string(got)) == unsafe.StringData(text) {
			t.Errorf("%q is a part of the text that it was read from, and keeps it in memory", got)
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
	synctest.Test(t, func(t *testing.T) {
		f := newFederation(t, 2, true, func(cfg *FanOutConfig) { cfg.SourceTimeout = time.Second })
		f.fill(5)
		f.peers[0].Client = newFakeClient(t, &slowTransport{inner: f.sources[1]})
		// The time of a source is bounded, and leaves some of the page's.
		for left, want := range map[time.Duration]time.Duration{time.Hour: time.Second, 500 * time.Millisecond: 450 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(t.Context(), left)
			began := time.Now()
			page, err := f.list(ctx, 5, "")
			if took := time.Since(began); err != nil || took != want {
				t.Errorf("a page for which there were %v took %v: %v", left, took, err)
			}
			if s := sourceNamed(page, "peer:p01"); s.State != SourceFailed || s.Code != ErrTimeout || !page.Partial || len(page.Items) != 5 {
				t.Errorf("the slow peer is %+v; %d rows", s, len(page.Items))
			}
			cancel()
		}
	})
}

func TestNothingIsReadBehindTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFederation(t, 1, true)
		f.fill(40)
		var reading atomic.Int64
		renewals := 0
		r := FanOutRequest{Grant: f.grant, Resource: "tasks", Source: SourceAll, Limit: 20}
		r.Local = func(ctx context.Context, limit int, token string) (Page, error) {
			reading.Add(1)
			defer reading.Add(-1)
			if limit < r.Limit { // for a nearer cursor, which nobody waits for
				renewals++
				<-ctx.Done()
				time.Sleep(time.Millisecond)
				return Page{}, ctx.Err()
			}
			return f.sources[0].ReadLocal(ctx, limit, token)
		}
		for more := true; more; more = r.Cursor != "" {
			page, err := f.fanOut.List(t.Context(), r)
			if err != nil || page.Partial {
				t.Fatalf("%v: %v", page.Sources, err)
			}
			if n := reading.Load(); n != 0 {
				t.Errorf("%d pages are being read behind the answer", n)
			}
			r.Cursor = page.Next
		}
		if renewals == 0 {
			t.Error("no nearer cursor was asked for")
		}
	})
}

// To give up a request for a nearer cursor costs more than to wait a little for it.
func TestANearerCursorIsWaitedForAsLongAsThatIsShort(t *testing.T) {
	const answer = 100 * time.Millisecond
	for late, givenUp := range map[time.Duration]bool{answer * 104 / 100: false, answer * 106 / 100: true} {
		synctest.Test(t, func(t *testing.T) {
			f := newFederation(t, 1, true)
			f.fill(40)
			renewals, canceled, last := 0, 0, 0
			r := FanOutRequest{Grant: f.grant, Resource: "tasks", Source: SourceAll, Limit: 20}
			r.Local = func(ctx context.Context, limit int, token string) (Page, error) {
				wait := answer
				if limit < r.Limit {
					renewals++
					wait = late
				}
				if err := pause(ctx, wait); err != nil {
					canceled++
					return Page{}, err
				}
				return f.sources[0].ReadLocal(ctx, limit, token)
			}
			for {
				began := time.Now()
				page, err := f.fanOut.List(t.Context(), r)
				if err != nil || page.Partial {
					t.Fatalf("%v: %v", page.Sources, err)
				}
				if took := time.Since(began); took > 2*answer*105/100 {
					t.Errorf("a page of answers of %v took %v", answer, took)
				}
				if r.Cursor = page.Next; r.Cursor == "" {
					break // behind the last page, no cursor is of use
				}
				last = canceled
			}
			if renewals == 0 || givenUp != (last > 0) {
				t.Errorf("of %d requests for a nearer cursor, which take %v, %d were given up", renewals, late, last)
			}
		})
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
	f.fanOut.cfg.Peers = func(context.Context, scope.Grant) ([]Peer, error) { panic("peers") }
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
		"too short":       func(c *FanOutConfig) { c.MaxCursor = maxCursor - 1 },
		"too long":        func(c *FanOutConfig) { c.MaxCursor = maxFanOutCursor + 1 },
		"negative TTL":    func(c *FanOutConfig) { c.TTL = -1 },
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
