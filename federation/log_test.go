package federation

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mosaicstack/fedkit/internal/contracttest"
	"github.com/mosaicstack/fedkit/scope"
)

// loggedAlways are the fields that every line has.
var loggedAlways = []string{"time", "level", "msg", "request_id", "verb", "resource", "status", "code", "stage",
	"grant", "peer", "subject", "rows", "truncated", "latency"}

func TestEachRequestIsOneLineOfTheDocumentedFields(t *testing.T) {
	forEachCondition(t, func(name string, s *situation, c condition) {
		got := s.serve(t)
		lines := s.host.log.lines(t)
		if len(lines) != 1 {
			t.Errorf("%s: one request left %d lines", name, len(lines))
			return
		}
		line := lines[0]
		if line["request_id"] != got.Header().Get("X-Request-ID") || line["status"] != float64(got.Code) {
			t.Errorf("%s: the line is of request %v with status %v", name, line["request_id"], line["status"])
		}
		for _, field := range loggedAlways {
			if _, there := line[field]; !there {
				t.Errorf("%s: the line has no %s", name, field)
			}
		}
		known := append(slices.Clone(loggedAlways), "err", "stack", "trace", "item")
		for field := range maps.Keys(line) {
			if !slices.Contains(known, field) {
				t.Errorf("%s: the line has %s, which is not documented", name, field)
			}
		}
	})
}

func TestAPageIsLoggedWithItsGrantAndRows(t *testing.T) {
	h := newHost(t)
	h.post(t, "tasks", `{"limit":7}`)
	line := h.log.last(t)
	for field, want := range map[string]any{
		"level": "INFO", "verb": "list", "resource": "tasks", "status": 200.0, "code": "ok", "stage": "",
		"grant": "grant-1", "peer": "peer-1", "subject": "user-1", "rows": 7.0, "truncated": true,
	} {
		if line[field] != want {
			t.Errorf("the field %s is %v, not %v", field, line[field], want)
		}
	}
	if _, there := line["trace"]; !there {
		t.Error("the line has no trace of the evaluator")
	}
}

func TestTheLevelSaysWhoHasToAct(t *testing.T) {
	for _, c := range conditionsInOrder {
		want := "WARN"
		switch {
		case c.status == http.StatusOK:
			want = "INFO"
		case c.status >= 500, c.code == scope.CodeInvalidScope:
			want = "ERROR"
		}
		s := newSituation(t)
		c.hold(s)
		s.serve(t)
		if got := s.host.log.last(t)["level"]; got != want {
			t.Errorf("%s is logged at %v, not at %s", c.name, got, want)
		}
	}
	for _, f := range failures(t) {
		if f.code == codeClientGone {
			h := newHost(t)
			f.serve(t, h)
			if got := h.log.last(t)["level"]; got != "INFO" {
				t.Errorf("a client that hangs up is logged at %v", got)
			}
		}
	}
}

func TestWhatAClientWritesIsBoundedInTheLog(t *testing.T) {
	h := newHost(t)
	h.post(t, strings.Repeat("ü", 1<<20), "")
	h.post(t, strings.Repeat("\x00", 1<<20), "")
	h.post(t, "tasks", `{"`+strings.Repeat("n", 8000)+`":1}`)
	h.post(t, "tasks", `{"cursor":"`+strings.Repeat("c", 8000)+`"}`)
	refusing(errors.New(strings.Repeat("e", 1<<20)))(h)
	h.post(t, "tasks", "")
	for i, line := range h.log.lines(t) {
		for field, value := range line {
			text, _ := value.(string)
			if len(text) > maxLoggedError {
				t.Errorf("line %d: the field %s has %d bytes", i, field, len(text))
			}
			if field == "resource" && (len(text) > maxLoggedName || !utf8.ValidString(text)) {
				t.Errorf("line %d: the resource %q is not cut well", i, text)
			}
		}
	}
}

func TestAPanicIsLoggedWithItsStack(t *testing.T) {
	h := newHost(t)
	h.authenticate = func(*http.Request) (scope.Grant, error) { panic("boom") }
	h.post(t, "tasks", "")
	line := h.log.last(t)
	if line["err"] != "authenticator panicked: boom" {
		t.Errorf("the error is %v", line["err"])
	}
	if stack, _ := line["stack"].(string); !strings.Contains(stack, "TestAPanicIsLoggedWithItsStack") {
		t.Errorf("the stack does not lead to the panic: %s", stack)
	}
}

// viciousError panics when somebody wants to know what it says.
type viciousError struct{}

func (viciousError) Error() string { panic("no comment") }

func TestAnErrorThatPanicsIsLoggedNevertheless(t *testing.T) {
	h := newHost(t)
	h.list = failing(viciousError{})
	if got := h.post(t, "tasks", ""); got.Code != http.StatusInternalServerError {
		t.Errorf("the answer is %d", got.Code)
	}
	if line := h.log.last(t); line["code"] != "query_failed" {
		t.Errorf("the log says %v", line)
	}
}

// goneWriter is a connection that nobody reads from any more.
type goneWriter struct{ http.ResponseWriter }

func (goneWriter) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestAPageThatNobodyReadsIsLoggedAsSuch(t *testing.T) {
	h := newHost(t)
	h.serving(t).ServeHTTP(goneWriter{newRecorder()}, newPost(Prefix+"list/tasks", ""))
	line := h.log.last(t)
	if line["err"] != "broken pipe" || line["code"] != "client_gone" || line["level"] != "INFO" {
		t.Errorf("the log says %v", line)
	}
}

func TestAHandlerWithoutLoggerServes(t *testing.T) {
	w := newRecorder()
	contracttest.Watch(t, newHost(t).quiet(t)).ServeHTTP(w, newPost(Prefix+"list/tasks", ""))
	mustPage(t, w)
}

func TestBoundedTextEndsAtACharacter(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "",
		"12345678":                             "12345678",
		"123456789":                            "12345…",
		"1234üüüü":                             "1234…",
		"üüüüü":                                "üü…",
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff": "\xff\xff\xff\xff\xff…",
	} {
		if got := bounded(text, 8); got != want {
			t.Errorf("%q is cut to %q, not to %q", text, got, want)
		}
	}
}
