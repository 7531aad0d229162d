package federation

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// A seedRow is a row of the seed's database: exact to the microsecond.
type seedRow struct {
	at         time.Time
	id         string
	preference bool   // of memory; else an insight
	content    string // of notes; empty ones do not show
}

// A seedPeer answers as the seed's controller does: unsigned cursors of base64url over
// JSON, times cut to milliseconds in rows and in cursors, limits as JavaScript's Number
// reads them, rows of memory without a type, and denials with details.
type seedPeer struct {
	resource string
	cap      int
	rows     []seedRow // in the database's order

	mu    sync.Mutex
	asked []string // bodies
}

// millis is what a Date of JavaScript keeps of a timestamp.
func millis(t time.Time) time.Time { return t.Truncate(time.Millisecond) }

const isoMillis = "2006-01-02T15:04:05.000Z"

func (s *seedPeer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Limit  any
		Cursor any
	}
	json.NewDecoder(r.Body).Decode(&body)
	s.mu.Lock()
	s.asked = append(s.asked, fmt.Sprint(body))
	s.mu.Unlock()
	limit, ok := s.limit(body.Limit)
	token, isText := body.Cursor.(string)
	after, good := decodeSeedCursor(token)
	if !ok || body.Cursor != nil && (!isText || !good) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":{"code":"invalid_request","message":"Federation list cursor is invalid","details":{"grantId":"g"}}}`)
		return
	}
	rows := s.behind(after, limit+1)
	truncated := len(rows) > limit
	rows = rows[:min(limit, len(rows))]
	page := map[string]any{"items": s.items(rows)}
	if truncated {
		page["nextCursor"] = s.cursor(rows[len(rows)-1])
		page["_truncated"] = true
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	json.NewEncoder(w).Encode(page)
}

// limit is parseLimit of the seed, clamped to the cap of the scope.
func (s *seedPeer) limit(sent any) (int, bool) {
	var n float64
	switch v := sent.(type) {
	case nil:
		return s.cap, true
	case float64:
		n = v
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		if err != nil {
			return 0, false
		}
		n = f
	default:
		return 0, false
	}
	return int(min(n, float64(s.cap))), n >= 1 && n == math.Trunc(n)
}

// seedCursor is the seed's KeysetCursor.
type seedCursor struct {
	CreatedAt string `json:"createdAt"`
	ID        string `json:"id"`
	Source    string `json:"source,omitempty"`
}

func (s *seedPeer) cursor(row seedRow) string {
	c := seedCursor{CreatedAt: millis(row.at).Format(isoMillis), ID: row.id}
	if s.resource == "memory" {
		c.Source = map[bool]string{false: "insights", true: "preferences"}[row.preference]
	}
	text, _ := json.Marshal(c)
	return base64.RawURLEncoding.EncodeToString(text)
}

func decodeSeedCursor(token string) (*seedRow, bool) {
	if token == "" {
		return nil, true
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	var c seedCursor
	if err != nil || json.Unmarshal(text, &c) != nil || c.ID == "" {
		return nil, false
	}
	at, err := time.Parse(isoMillis, c.CreatedAt)
	return &seedRow{at: at, id: c.ID, preference: c.Source == "preferences"}, err == nil
}

// behind are the rows that the seed's statements select: the cursor's milliseconds
// against the database's microseconds.
func (s *seedPeer) behind(after *seedRow, most int) (rows []seedRow) {
	for _, row := range s.rows {
		passed := after != nil && (!row.preference && after.preference ||
			row.preference == after.preference && !(row.at.Before(after.at) || row.at.Equal(after.at) && row.id < after.id))
		if !passed && len(rows) < most {
			rows = append(rows, row)
		}
	}
	if s.resource == "notes" { // dropped behind the LIMIT
		rows = slices.DeleteFunc(rows, func(r seedRow) bool { return r.content == "" })
	}
	if s.resource != "memory" { // sorted again, by what a Date keeps
		slices.SortStableFunc(rows, func(a, b seedRow) int {
			if c := millis(b.at).Compare(millis(a.at)); c != 0 {
				return c
			}
			return strings.Compare(b.id, a.id)
		})
	}
	return rows
}

func (s *seedPeer) items(rows []seedRow) []map[string]any {
	items := []map[string]any{}
	for _, row := range rows {
		item := map[string]any{
			"id": row.id, "createdAt": millis(row.at).Format(isoMillis), "updatedAt": millis(row.at).Format(isoMillis), "_source": "local",
		}
		switch {
		case s.resource == "memory" && row.preference:
			item["key"], item["value"], item["kind"] = "theme", map[string]any{"type": "dark"}, "ui"
		case s.resource == "memory":
			item["content"], item["kind"], item["category"] = "text", "chat", "preference"
		default:
			item["content"] = row.content
		}
		items = append(items, item)
	}
	return items
}

// seedRows are rows newest first; step is the time between two of them.
func seedRows(n int, step time.Duration, from time.Time) (rows []seedRow) {
	for i := range n {
		// The ids run against the times, as random ones do now and then.
		id := fmt.Sprintf("00000000-0000-4000-8000-%012d", (i*7919)%100000)
		rows = append(rows, seedRow{at: from.Add(-time.Duration(i) * step), id: id, content: "note"})
	}
	return rows
}

// mergeSeed reads the list of a fan-out over the seed's peer and one of this package's.
func mergeSeed(t *testing.T, seed *seedPeer, own *fakePeer, limit int) (rows []string, partial bool) {
	t.Helper()
	server := httptest.NewServer(seed)
	defer server.Close()
	peers := []Peer{{"seed", newClient(t, server.URL)}, {"own", newFakeClient(t, own)}}
	f, err := NewFanOut(FanOutConfig{
		Peers:         func(context.Context, scope.Grant) ([]Peer, error) { return peers, nil },
		Keys:          fanOutKeys,
		SourceTimeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := FanOutRequest{Grant: scope.Grant{ID: "g", Scope: narrower}, Resource: seed.resource, Source: SourceAll, Limit: limit}
	order := f.orders[seed.resource]
	var last cursor.Position
	for more := true; more; more = r.Cursor != "" {
		page, err := f.List(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			row, err := order.row(item, make(cursor.Position, order.width()))
			if err != nil {
				t.Fatalf("%s: %v", item, err)
			}
			if last != nil && order.compare(last, row.key) > 0 {
				t.Errorf("%v stands before %v", last, row.key)
			}
			last = row.key
			var read struct {
				ID     string
				Source string `json:"_source"`
			}
			if err := json.Unmarshal(item, &read); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, read.ID+" "+read.Source)
		}
		partial = partial || page.Partial
		r.Cursor = page.Next
	}
	return rows, partial
}

func TestAGatewayOfTheSeedTakesPart(t *testing.T) {
	noon := time.Date(2026, 6, 24, 12, 0, 0, 999_000, time.UTC)
	own := &fakePeer{name: "own", cap: 7}
	for i := range 30 {
		own.insert(newFakeRow(noon.UnixMicro()-int64(i)*3000, i))
	}
	seed := &seedPeer{resource: "tasks", cap: 25, rows: seedRows(70, time.Millisecond, noon)}
	for _, limit := range []int{1, 3, 10, 50} {
		seed.asked = nil
		rows, partial := mergeSeed(t, seed, own, limit)
		if len(rows) != 100 || partial {
			t.Errorf("pages of %d: %d of 100 rows, partial %t", limit, len(rows), partial)
		}
		seen := make(map[string]bool)
		for _, row := range rows {
			if seen[row] {
				t.Errorf("pages of %d: %s is there twice", limit, row)
			}
			seen[row] = true
		}
		if len(seed.asked) < 3 {
			t.Errorf("pages of %d: the seed was asked %d times", limit, len(seed.asked))
		}
	}
}

func TestTheMemoryOfTheSeedTakesPart(t *testing.T) {
	noon := time.Date(2026, 6, 24, 12, 0, 0, 0, time.UTC)
	seed := &seedPeer{resource: "memory", cap: 25}
	seed.rows = seedRows(20, time.Millisecond, noon)
	for _, row := range seedRows(20, time.Millisecond, noon.Add(time.Hour)) { // newer, and behind all insights
		row.preference = true
		seed.rows = append(seed.rows, row)
	}
	own := &fakePeer{name: "own", cap: 9}
	for i := range 20 {
		row := newFakeRow(noon.UnixMicro()-int64(i)*1500, i)
		row.text += `,"type":"insight"`
		own.insert(row)
	}
	for _, limit := range []int{1, 4, 33} {
		rows, partial := mergeSeed(t, seed, own, limit)
		var want []string
		for _, row := range seed.rows[20:] {
			want = append(want, row.id+" peer:seed")
		}
		if len(rows) != 60 || partial {
			t.Fatalf("pages of %d: %d of 60 rows, partial %t", limit, len(rows), partial)
		}
		if diff := cmp.Diff(want, rows[40:]); diff != "" {
			t.Errorf("pages of %d: the preferences (-want +got):\n%s", limit, diff)
		}
	}
}

// Where many rows share a millisecond, the seed loses some by itself. What it gives comes
// once and in order, and nothing of the others is lost.
func TestWhatTheSeedLosesHurtsNobodyElse(t *testing.T) {
	noon := time.Date(2026, 6, 24, 12, 0, 0, 0, time.UTC)
	for _, resource := range []string{"tasks", "notes", "memory"} {
		seed := &seedPeer{resource: resource, cap: 10, rows: seedRows(60, 137*time.Microsecond, noon)}
		if resource == "notes" {
			seed.rows[5].content, seed.rows[40].content = "", ""
		}
		own := &fakePeer{name: "own", cap: 100}
		for i := range 30 {
			row := newFakeRow(noon.UnixMicro()-int64(i)*274, i)
			if resource == "memory" {
				row.text += `,"type":"insight"`
			}
			own.insert(row)
		}
		for _, limit := range []int{1, 7, 20} {
			rows, partial := mergeSeed(t, seed, own, limit)
			seen := make(map[string]int)
			ours, theirs := 0, 0
			for _, row := range rows {
				if seen[row]++; seen[row] > 1 {
					t.Errorf("%s, pages of %d: %s is there twice", resource, limit, row)
				}
				if strings.HasSuffix(row, "peer:own") {
					ours++
				} else {
					theirs++
				}
			}
			if ours != 30 || theirs < 10 || partial {
				t.Errorf("%s, pages of %d: %d of 30 and %d of 60 rows, partial %t", resource, limit, ours, theirs, partial)
			}
		}
	}
}
