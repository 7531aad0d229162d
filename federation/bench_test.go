package federation

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// discardWriter is a connection that costs nothing.
type discardWriter struct {
	header http.Header
	status int
}

func (w *discardWriter) Header() http.Header         { return w.header }
func (w *discardWriter) WriteHeader(status int)      { w.status = status }
func (w *discardWriter) Write(p []byte) (int, error) { return len(p), nil }

// benchmark serves the same request over and over.
func benchmark(b *testing.B, handler http.Handler, target, body string, want int) {
	b.Helper()
	b.ReportAllocs()
	w := &discardWriter{header: http.Header{}}
	r := httptest.NewRequest(http.MethodPost, target, http.NoBody)
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = int64(len(body))
	for b.Loop() {
		clear(w.header)
		r.Body = io.NopCloser(strings.NewReader(body))
		handler.ServeHTTP(w, r)
		if w.status != want {
			b.Fatalf("the handler answers %d", w.status)
		}
	}
}

// What the handler itself costs: a page of 50 rows from a lister that has them at
// hand, with a cursor to open and one to seal.
func BenchmarkListPage(b *testing.B) {
	h := newHost(b)
	h.grant = newGrant(b, `{"resources":["tasks"],"max_rows_per_query":100}`)
	rows := make([]json.RawMessage, 50)
	for i := range rows {
		rows[i] = json.RawMessage(fmt.Sprintf(`{"id":"05000000-0000-4000-8000-%012d","title":"Task number %d",`+
			`"description":"Rotate the keys of the staging cluster, then tell \"ops\".","status":"open","priority":"high",`+
			`"projectId":"05000000-0000-4000-8000-000000000101","missionId":null,"assignee":null,"tags":["keys","ops"],`+
			`"dueDate":null,"metadata":{"estimate":3,"links":["https://example.test/a"]},`+
			`"createdAt":"2026-06-24T03:00:00.000001Z","updatedAt":"2026-06-24T03:00:00.000001Z"}`, i, i))
	}
	next := cursor.Position{cursor.Int64Value(50)}
	h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		return rows, next, nil
	}
	handler := h.quiet(b)
	token := mustPage(b, h.post(b, "tasks", "")).NextCursor
	benchmark(b, handler, Prefix+"list/tasks", `{"limit":50,"cursor":"`+token+`"}`, http.StatusOK)
}

// A denial at row 7.
func BenchmarkDenial(b *testing.B) {
	benchmark(b, newHost(b).quiet(b), Prefix+"list/credentials", "", http.StatusForbidden)
}

// A body that is refused before anybody is asked.
func BenchmarkMalformedBody(b *testing.B) {
	benchmark(b, newHost(b).quiet(b), Prefix+"list/tasks", `{"limit":1,"limit":2}`, http.StatusBadRequest)
}
