package federation

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// underWay is how many requests the handler counts, of all grants.
func (h *host) countUnderWay(tb testing.TB) (requests, grants int) {
	tb.Helper()
	h.serving(tb)
	running := &h.built.running
	running.mu.Lock()
	defer running.mu.Unlock()
	for _, n := range running.running {
		requests += n
	}
	return requests, len(running.running)
}

func TestAGrantHasOnlySoManyRequestsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		h.concurrent = 3
		release := make(chan struct{})
		h.list = func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
			<-release
			return listNumbers(ctx, f, after)
		}
		h.authenticate = func(r *http.Request) (scope.Grant, error) {
			g := h.grant
			g.ID = r.Header.Get("Grant")
			return g, nil
		}
		var wait sync.WaitGroup
		for _, grant := range []string{"a", "a", "a", "b"} {
			wait.Go(func() { mustPage(t, h.post(t, "tasks", "", "Grant", grant)) })
		}
		synctest.Wait()
		for _, r := range []*http.Request{
			newPost(Prefix+"list/tasks", "", "Grant", "a"), newPost(Prefix+"get/tasks/7", "", "Grant", "a"), newCapabilities("Grant", "a"),
		} {
			got := h.serve(t, r)
			if got.Code != http.StatusTooManyRequests || mustError(t, got) != "rate_limited" || got.Header().Get("Retry-After") != "1" {
				t.Errorf("%s: a fourth request is answered with %d %s, Retry-After %q", r.URL.Path, got.Code, got.Body, got.Header().Get("Retry-After"))
			}
		}
		if got := h.getItem(t, "tasks", "7", "Grant", "b"); got.Code != http.StatusOK {
			t.Errorf("another grant is answered with %d", got.Code)
		}
		if requests, grants := h.countUnderWay(t); requests != 4 || grants != 2 {
			t.Errorf("%d requests of %d grants are under way", requests, grants)
		}
		close(release)
		wait.Wait()
		mustPage(t, h.post(t, "tasks", "", "Grant", "a"))
		if requests, grants := h.countUnderWay(t); requests+grants != 0 {
			t.Errorf("%d requests of %d grants are under way when all have ended", requests, grants)
		}
	})
}

// However a request ends, it does not count any more.
func TestARequestThatEndedIsNotUnderWay(t *testing.T) {
	for name, spoil := range map[string]func(*host){
		"well": func(*host) {},
		"native panics": func(h *host) {
			h.native = func(context.Context, scope.AccessRequest) (scope.Access, error) { panic("boom") }
		},
		"query fails":     func(h *host) { h.list = failing(errors.New("boom")) },
		"revoked":         func(h *host) { h.authenticate = onceThen(h, ErrGrantRevoked) },
		"bad scope":       func(h *host) { h.grant.Scope = scope.Scope{} },
		"auditor is away": func(h *host) { h.auditor = auditFaults["panics"] },
		"aborted": func(h *host) {
			h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
				panic(http.ErrAbortHandler)
			}
		},
		"abort in the audit": func(h *host) {
			h.auditor = auditorFunc(func(context.Context, Record) error { panic(http.ErrAbortHandler) })
		},
		"no grant":   refusing(ErrNoCredential),
		"over rate":  func(h *host) { h.grants = limiterFunc(refuseAll) },
		"over limit": func(h *host) { h.underWay = 1 },
	} {
		for _, w := range []http.ResponseWriter{newRecorder(), goneWriter{newRecorder()}} {
			h := newHost(t)
			h.concurrent = 1
			spoil(h)
			func() {
				defer func() { _ = recover() }()
				h.serving(t).ServeHTTP(w, newPost(Prefix+"list/tasks", ""))
			}()
			if requests, _ := h.countUnderWay(t); requests != h.underWay {
				t.Errorf("%s: %d requests are under way", name, requests)
			}
		}
	}
}

// A peer that does not read its answers uses up its own room: Concurrent bounds the
// pages that wait for it in memory.
func TestAnAnswerThatIsNotReadIsUnderWay(t *testing.T) {
	h := newHost(t)
	h.concurrent = 1
	writing, release := make(chan struct{}), make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.serving(t).ServeHTTP(stalledWriter{httptest.NewRecorder(), writing, release}, newPost(Prefix+"list/tasks", ""))
	}()
	<-writing
	if got := h.post(t, "tasks", ""); got.Code != http.StatusTooManyRequests {
		t.Errorf("beside an answer that is not read the next one is %d", got.Code)
	}
	close(release)
	<-done
	mustPage(t, h.post(t, "tasks", ""))
}

// stalledWriter is a connection that takes nothing until it is released.
type stalledWriter struct {
	http.ResponseWriter
	writing, release chan struct{}
}

func (w stalledWriter) Write(p []byte) (int, error) {
	close(w.writing)
	<-w.release
	return w.ResponseWriter.Write(p)
}

func TestManyRequestsAtOnceAreCountedRight(t *testing.T) {
	h := newHost(t)
	h.concurrent = 4
	var mu sync.Mutex
	within, most := 0, 0
	h.list = func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		mu.Lock()
		within++
		most = max(most, within)
		mu.Unlock()
		time.Sleep(time.Millisecond)
		mu.Lock()
		within--
		mu.Unlock()
		return listNumbers(ctx, f, after)
	}
	handler := h.serving(t)
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(func() {
			for range 10 {
				w := newRecorder()
				handler.ServeHTTP(w, newPost(Prefix+"list/tasks", ""))
				if w.Code != http.StatusOK && w.Code != http.StatusTooManyRequests {
					t.Errorf("the answer is %d", w.Code)
				}
			}
		})
	}
	wait.Wait()
	if most > 4 {
		t.Errorf("%d requests were under way at once", most)
	}
	if requests, grants := h.countUnderWay(t); requests+grants != 0 {
		t.Errorf("%d requests of %d grants are left", requests, grants)
	}
}
