package federation

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

type spanKey struct{}

// spans is an Observer that writes down what it is told, and in whose context.
type spans struct {
	events []string
	record Record
	ends   int
}

func (s *spans) Request(r *http.Request, verb string) (context.Context, func(Record)) {
	s.events = append(s.events, "request "+verb)
	return context.WithValue(r.Context(), spanKey{}, "request"), func(r Record) {
		s.record = r
		s.ends++
		s.events = append(s.events, fmt.Sprintf("end %d %s", r.Status, r.Code))
	}
}

func (s *spans) Part(ctx context.Context, part string) (context.Context, func(error)) {
	if ctx.Value(spanKey{}) != "request" {
		s.events = append(s.events, "part outside of its request")
	}
	s.events = append(s.events, part)
	return context.WithValue(ctx, spanKey{}, part), func(err error) {
		s.events = append(s.events, fmt.Sprintf("/%s %t", part, err == nil))
	}
}

// within checks that a part runs in its own context.
func within(t *testing.T, ctx context.Context, parts ...string) {
	t.Helper()
	if got, _ := ctx.Value(spanKey{}).(string); !slices.Contains(parts, got) {
		t.Errorf("a part of %v runs in the context of %q", parts, got)
	}
}

// In the time of a bubble, in which no audit is a slow one.
func TestAnObserverSeesEachPartInItsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, seen := newHost(t), new(spans)
		h.observer = seen
		h.auditor = auditorFunc(func(ctx context.Context, _ Record) error { within(t, ctx, PartAudit); return nil })
		authenticate, native, list, get := h.authenticate, h.native, h.list, h.get
		h.authenticate = func(r *http.Request) (scope.Grant, error) {
			within(t, r.Context(), PartAuthenticate, PartReauthenticate)
			return authenticate(r)
		}
		h.native = func(ctx context.Context, req scope.AccessRequest) (scope.Access, error) {
			within(t, ctx, PartEvaluate)
			return native(ctx, req)
		}
		h.list = func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
			within(t, ctx, PartList)
			return list(ctx, f, after)
		}
		h.get = func(ctx context.Context, f scope.Filter, id string) (json.RawMessage, bool, error) {
			within(t, ctx, PartGet)
			return get(ctx, f, id)
		}
		page := h.post(t, "tasks", `{"limit":7}`)
		want := []string{"request list", "authenticate", "/authenticate true", "evaluate", "/evaluate true", "list", "/list true",
			"reauthenticate", "/reauthenticate true", "audit", "/audit true", "end 200 ok"}
		if diff := cmp.Diff(want, seen.events); diff != "" {
			t.Errorf("the events of a list (-want +got):\n%s", diff)
		}
		if r := seen.record; r.Rows != 7 || r.Bytes != page.Body.Len() || r.Resource != "tasks" || !r.Known || r.Grant != "grant-1" || r.RequestID == "" {
			t.Errorf("the record is %+v", r)
		}
		seen.events = nil
		h.getItem(t, "tasks", "61")
		want = []string{"request get", "authenticate", "/authenticate true", "evaluate", "/evaluate true", "get", "/get true",
			"reauthenticate", "/reauthenticate true", "audit", "/audit true", "end 404 item_not_found"}
		if diff := cmp.Diff(want, seen.events); diff != "" {
			t.Errorf("the events of a get (-want +got):\n%s", diff)
		}
	})
}

// Whatever becomes of a request and its parts, each beginning has its end.
func TestEachBeginningHasItsEnd(t *testing.T) {
	check := func(name string, seen *spans) {
		t.Helper()
		open := []string{}
		for _, event := range seen.events {
			end, ends := strings.CutPrefix(event, "/")
			switch {
			case ends:
				if name, _, _ := strings.Cut(end, " "); len(open) == 0 || open[len(open)-1] != name {
					t.Errorf("%s: %s ends in %v", name, end, seen.events)
					return
				}
				open = open[:len(open)-1]
			case !strings.Contains(event, " "):
				open = append(open, event)
			case strings.HasPrefix(event, "part"):
				t.Errorf("%s: %v", name, seen.events)
			}
		}
		if len(open) != 0 || seen.ends != 1 {
			t.Errorf("%s: %v is open, and the request ended %d times: %v", name, open, seen.ends, seen.events)
		}
	}
	forEachCondition(t, func(name string, s *situation, c condition) {
		seen := new(spans)
		s.host.observer = seen
		s.serve(t)
		check(name, seen)
		if seen.record.Code != string(c.code) || seen.record.Status != c.status {
			t.Errorf("%s: the record is %+v", name, seen.record)
		}
	})
	for _, f := range failures(t) {
		synctest.Test(t, func(t *testing.T) {
			h, seen := newHost(t), new(spans)
			h.observer = seen
			f.serve(t, h)
			check(f.name, seen)
		})
	}
	h, seen := newHost(t), new(spans)
	h.observer = seen
	h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		panic(http.ErrAbortHandler)
	}
	func() {
		defer func() { _ = recover() }()
		h.serving(t).ServeHTTP(newRecorder(), newPost(Prefix+"list/tasks", ""))
	}()
	check("an abort", seen)
	if !slices.Contains(seen.events, "/list false") || seen.record.Code != "aborted" {
		t.Errorf("an abort is observed as %v, %+v", seen.events, seen.record)
	}
}

// brokenObserver goes wrong wherever it can.
type brokenObserver struct{ request, requestEnd, part, partEnd bool }

func (o brokenObserver) Request(*http.Request, string) (context.Context, func(Record)) {
	if o.request {
		panic("boom")
	}
	if o.requestEnd {
		return nil, func(Record) { panic(http.ErrAbortHandler) }
	}
	return nil, nil
}

func (o brokenObserver) Part(context.Context, string) (context.Context, func(error)) {
	if o.part {
		panic(http.ErrAbortHandler)
	}
	if o.partEnd {
		return context.Background(), func(error) { panic("boom") }
	}
	return nil, nil
}

func TestABrokenObserverChangesNoAnswer(t *testing.T) {
	forEachCondition(t, func(name string, s *situation, _ condition) {
		want := bytesOf(s.serve(t))
		for _, observer := range []brokenObserver{{}, {request: true}, {requestEnd: true}, {part: true}, {partEnd: true}} {
			for _, table := range decisionTests() {
				for _, c := range table.conditions {
					if table.verb+" "+c.name != name {
						continue
					}
					broken := table.situation(t)
					c.hold(broken)
					broken.host.observer = observer
					if got := bytesOf(broken.serve(t)); got != want && c.code != codeOK {
						t.Errorf("%s, %+v: the answer is\n%s\nand not\n%s", name, observer, got, want)
					} else if got[:3] != want[:3] {
						t.Errorf("%s, %+v: the answer is %s", name, observer, got[:3])
					}
				}
			}
		}
	})
}

func TestAPanicOfAnObserverIsLogged(t *testing.T) {
	h := newHost(t)
	h.observer = brokenObserver{partEnd: true}
	var text bytes.Buffer
	handler := h.build(t, slog.New(slog.NewTextHandler(&text, nil)))
	handler.ServeHTTP(newRecorder(), newPost(Prefix+"list/tasks", ""))
	if n := strings.Count(text.String(), `msg="federation observer" err="observer panicked: boom"`); n != 4 {
		t.Errorf("%d panics of an observer are logged:\n%s", n, &text)
	}
}
