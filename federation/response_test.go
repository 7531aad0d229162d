package federation

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

func TestEveryResponseHasTheHeadersOfTheContract(t *testing.T) {
	forEachCondition(t, func(condition string, s *situation, c condition) {
		got := s.serve(t)
		for name, want := range map[string]string{
			"Cache-Control":          "no-store",
			"X-Content-Type-Options": "nosniff",
			"Content-Type":           "application/json",
			"Content-Length":         strconv.Itoa(got.Body.Len()),
		} {
			if value := got.Header().Get(name); value != want {
				t.Errorf("%s: %s is %q, not %q", condition, name, value, want)
			}
		}
		if id := got.Header().Get("X-Request-ID"); len(id) != 32 {
			t.Errorf("%s: the request id is %q", condition, id)
		}
		want := ""
		switch c.code {
		case codeRateLimited:
			want = "60"
		case codeTooManyAtOnce:
			want = "1"
		}
		if retry := got.Header().Get("Retry-After"); retry != want {
			t.Errorf("%s: Retry-After is %q beside %d", condition, retry, got.Code)
		}
	})
}

// writeCounter is a ResponseWriter that notes what happened before each write.
type writeCounter struct {
	*httptest.ResponseRecorder
	before []string
	event  func() string
}

func (w *writeCounter) Write(p []byte) (int, error) {
	w.before = append(w.before, w.event())
	return w.ResponseRecorder.Write(p)
}

// A peer that reads slowly must not hold a database connection: by the time of the
// one write, the lister has returned.
func TestThePageIsWrittenOnceAfterTheListerHasReturned(t *testing.T) {
	h := newHost(t)
	event := "nothing happened"
	h.list = func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		event = "the lister runs"
		defer func() { event = "the lister has returned" }()
		return listNumbers(ctx, f, after)
	}
	w := &writeCounter{ResponseRecorder: newRecorder(), event: func() string { return event }}
	h.serving(t).ServeHTTP(w, newPost(Prefix+"list/tasks", ""))
	if got := fmt.Sprint(w.before); got != "[the lister has returned]" {
		t.Errorf("before the writes: %s", got)
	}
}

// A lister that breaks its contract never reaches the wire.
func TestABrokenPageIsAFailureAndNoneOfItIsSent(t *testing.T) {
	rows := func(texts ...string) []json.RawMessage {
		var rows []json.RawMessage
		for _, text := range texts {
			rows = append(rows, json.RawMessage(text))
		}
		return rows
	}
	next := cursor.Position{cursor.Int64Value(1)}
	good := `{"id":"secret"}`
	for name, page := range map[string]listed{
		"more rows than the limit":   {rows(good, good, good), nil},
		"more rows, and a next page": {rows(good, good, good), next},
		"next without rows":          {nil, next},
		"a next of another layout":   {rows(good), cursor.Position{cursor.TextValue("x")}},
		"a next without fields":      {rows(good), cursor.Position{}},
		"a string as row":            {rows(good, `"secret"`), nil},
		"an array as row":            {rows(good, `[{}]`), nil},
		"null as row":                {rows(good, `null`), nil},
		"an empty row":               {rows(good, ``), nil},
		"a nil row":                  {[]json.RawMessage{nil}, nil},
		"half a row":                 {rows(good, `{"id":1`), nil},
		"two rows in one":            {rows(`{"id":1},{"id":2}`), nil},
		"a row that ends the page":   {rows(`{"id":1}],"nextCursor":"x","a":[{}`), nil},
		"a row with bad JSON":        {rows(`{"id":}`), nil},
		"a row that is not UTF-8":    {rows("{\"id\":\"\xff\"}"), nil},
		"a row with a source":        {rows(`{"_source":"peer:x","id":1}`), nil},
		"a source in escapes":        {rows(`{"\u005fsource":"peer:x"}`), nil},
	} {
		h := newHost(t)
		h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
			return page.rows, page.next, nil
		}
		got := h.post(t, "tasks", `{"limit":2}`)
		if got.Code != http.StatusInternalServerError || mustError(t, got) != "internal_error" || strings.Contains(got.Body.String(), "secret") {
			t.Errorf("%s: the answer is %d %s", name, got.Code, got.Body)
		}
		if line := h.log.last(t); line["code"] != string(codeQueryFailed) || line["err"] == nil {
			t.Errorf("%s: the log says %v", name, line)
		}
	}
}

func TestAShortPageMayHaveANextOne(t *testing.T) {
	h := newHost(t)
	h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		return []json.RawMessage{json.RawMessage(`{}`)}, cursor.Position{cursor.Int64Value(1)}, nil
	}
	page := mustPage(t, h.post(t, "tasks", `{"limit":20}`))
	if len(page.Items) != 1 || page.NextCursor == "" || !page.Truncated {
		t.Errorf("the page is %+v", page)
	}
}

func TestAPageWithoutRowsHasAnEmptyList(t *testing.T) {
	h := newHost(t)
	h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		return nil, nil, nil
	}
	if got := h.post(t, "tasks", "").Body.String(); got != `{"items":[]}`+"\n" {
		t.Errorf("the page is %s", got)
	}
}

// The contract gives a cursor 4096 characters, whatever the codec allows.
func TestACursorThatNoPeerWouldSendBackIsAFailure(t *testing.T) {
	for length, want := range map[int]int{2000: http.StatusOK, 5000: http.StatusInternalServerError} {
		h := newHost(t)
		h.cursors = newCodec(t, cursor.Config{MaxLen: 1 << 20})
		layout, err := cursor.NewLayout("title; v1", cursor.Field{Kind: cursor.KindText})
		if err != nil {
			t.Fatalf("the layout is refused: %v", err)
		}
		h.layout = func(string) (cursor.Layout, bool) { return layout, true }
		h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
			return []json.RawMessage{json.RawMessage(`{}`)}, cursor.Position{cursor.TextValue(strings.Repeat("x", length))}, nil
		}
		if got := h.post(t, "tasks", ""); got.Code != want {
			t.Errorf("a position of %d bytes is answered with %d", length, got.Code)
		}
	}
}

func TestAPageOfMegabytesIsSent(t *testing.T) {
	h := newHost(t)
	row := `{"text":"` + strings.Repeat("x", 2*maxPooledBuffer) + `"`
	h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		return []json.RawMessage{json.RawMessage(row + "}")}, nil, nil
	}
	if got, want := h.post(t, "tasks", "").Body.String(), `{"items":[`+row+`,"_source":"local"}]}`+"\n"; got != want {
		t.Errorf("the page has %d bytes where %d were due", len(got), len(want))
	}
}

// The buffers of pages are pooled: no page may show another one's rows.
func TestPagesOfManyRequestsAtOnceDoNotMix(t *testing.T) {
	h := newHost(t)
	h.list = func(_ context.Context, f scope.Filter, _ cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		row := json.RawMessage(fmt.Sprintf(`{"limit":%d,"text":%q}`, f.Limit, strings.Repeat("x", 1000*f.Limit)))
		return []json.RawMessage{row, row}[:min(2, f.Limit)], nil, nil
	}
	handler := h.serving(t)
	var wait sync.WaitGroup
	for limit := 1; limit <= 24; limit++ {
		wait.Go(func() {
			for range 20 {
				recorder := newRecorder()
				handler.ServeHTTP(recorder, newPost(Prefix+"list/tasks", `{"limit":`+strconv.Itoa(limit)+`}`))
				var page listResponse
				if err := json.Unmarshal(recorder.Body.Bytes(), &page); err != nil || len(page.Items) == 0 {
					t.Errorf("the page of limit %d is broken: %v", limit, err)
				}
				for _, item := range page.Items {
					if item["limit"] != float64(limit) {
						t.Errorf("the page of limit %d shows a row of limit %v", limit, item["limit"])
					}
				}
			}
		})
	}
	wait.Wait()
}

// Through a real server and a real client: nothing of net/http gets in the way.
func TestTheHandlerServesOverTheNetwork(t *testing.T) {
	server := httptest.NewServer(newHost(t).serving(t))
	defer server.Close()
	send := func(method, path, body string) (int, string) {
		r, err := http.NewRequest(method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatalf("no request: %v", err)
		}
		r.Header.Set("Content-Type", "application/json")
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.ContentLength != int64(len(text)) {
			t.Errorf("%s %s: read %d of %d bytes: %v", method, path, len(text), response.ContentLength, err)
		}
		return response.StatusCode, string(bytes.TrimSpace(text))
	}
	if status, body := send("POST", Prefix+"list/tasks", `{"limit":1}`); status != 200 || !strings.HasPrefix(body, `{"items":[{"id":"1","_source":"local"}],"nextCursor":"`) {
		t.Errorf("a page is %d %s", status, body)
	}
	if status, body := send("POST", Prefix+"list/tasks%2F..%2Fnotes", ``); status != 404 {
		t.Errorf("an escaped slash is %d %s", status, body)
	}
	if status, body := send("POST", Prefix+"list/%74asks", ``); status != 200 {
		t.Errorf("an escaped letter is %d %s", status, body)
	}
	if status, body := send("GET", Prefix+"capabilities", ``); status != 200 {
		t.Errorf("capabilities are %d %s", status, body)
	}
	if status, body := send("POST", Prefix+"list/tasks", strings.Repeat(" ", 10<<20)); status != 413 {
		t.Errorf("10 MB are %d %s", status, body)
	}
}
