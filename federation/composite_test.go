package federation

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
	"weak"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/cursor"
)

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

// The longest cursor that a host may ask for has room for what 64 peers may send at most.
func TestTheLongestCursorHasRoomForTheLongestOfEveryPeer(t *testing.T) {
	f := newFederation(t, maxPeers, true, func(cfg *FanOutConfig) { cfg.MaxCursor = maxFanOutCursor })
	order := f.fanOut.orders["tasks"]
	c := &chain{place: cursor.Position{cursor.TimeValue(time.Unix(1, 0)), cursor.UUIDValue(cursor.UUID{})}}
	for range maxPeers + 1 {
		c.sources = append(c.sources, chainSource{
			name: peerPrefix + strings.Repeat("n", 64), cursor: strings.Repeat("c", maxCursor), given: maxFanOutLimit, mode: modeActive,
		})
	}
	token, err := c.encode(f.fanOut.codec, order.layout.Bind(FanOutRequest{Grant: f.grant}.query()))
	if err != nil || c.partial {
		t.Errorf("a cursor of %d characters is %v, and sources were given up: %t", len(token), err, c.partial)
	}
}

func TestACompositeCursorExpiresIfTheHostSaysSo(t *testing.T) {
	for ttl, want := range map[time.Duration]error{0: nil, time.Hour: cursor.ErrExpired} {
		synctest.Test(t, func(t *testing.T) {
			f := newFederation(t, 2, true, func(cfg *FanOutConfig) { cfg.TTL = ttl })
			f.fill(10)
			first, err := f.list(t.Context(), 3, "")
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour - time.Millisecond)
			if _, err := f.list(t.Context(), 3, first.Next); err != nil {
				t.Errorf("TTL %v: within the hour it is %v", ttl, err)
			}
			time.Sleep(time.Millisecond)
			if _, err := f.list(t.Context(), 3, first.Next); !errors.Is(err, want) {
				t.Errorf("TTL %v: after an hour it is %v", ttl, err)
			}
		})
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

func TestACursorThatHasNoRoomIsASourceThatFails(t *testing.T) {
	f := newFederation(t, 2, true, func(cfg *FanOutConfig) { cfg.MaxCursor, cfg.Abort = 4096, true })
	f.fill(100)
	f.sources[1].filler = strings.Repeat("x", 2900)
	var page Page
	var err error
	for more := true; more; more = err == nil && page.Next != "" { // the first cursors say where a page began
		if page, err = f.list(t.Context(), 8, page.Next); page.Partial {
			t.Errorf("a page of %d rows is partial: %v", len(page.Items), page.Sources)
		}
	}
	var failed *SourcesError
	if !errors.Is(err, ErrUnavailable) || !errors.As(err, &failed) || failed.Sources[1].Code != ErrCursorTooLong || len(page.Items) != 0 {
		t.Errorf("the list ends with a page of %d rows, %v: %v", len(page.Items), page.Sources, err)
	}
}

// Records of the audit have the names, and may wait in a queue.
func TestTheNamesOfSourcesKeepNoCursorsInMemory(t *testing.T) {
	f := newFederation(t, 1, true, func(cfg *FanOutConfig) { cfg.MaxCursor = maxFanOutCursor })
	binding := f.fanOut.orders["tasks"].layout.Bind(FanOutRequest{Grant: f.grant}.query())
	c := &chain{
		place:   cursor.Position{cursor.TimeValue(time.Unix(1, 0)), cursor.UUIDValue(cursor.UUID{})},
		sources: []chainSource{{name: "local", mode: modeActive, cursor: strings.Repeat("c", 10_000)}},
	}
	token, err := c.encode(f.fanOut.codec, binding)
	if err != nil {
		t.Fatal(err)
	}
	read, err := decodeChain(f.fanOut.codec, binding, token)
	if err != nil {
		t.Fatal(err)
	}
	// Whether the text is kept is asked of the text: the heap has what other tests left, too.
	name, text := read.sources[0].name, weak.Make(unsafe.StringData(read.sources[0].cursor))
	runtime.GC()
	if text.Value() == nil {
		t.Error("a cursor that is in use is not in memory")
	}
	runtime.KeepAlive(read)
	runtime.GC()
	if text.Value() != nil {
		t.Errorf("the name %q keeps the cursors that it was read from in memory", name)
	}
	runtime.KeepAlive(name)
}

// In the time of a bubble, in which a cursor that is asked for is never too late.
func TestRowsAreNeitherRepeatedNorFetchedOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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
	})
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
