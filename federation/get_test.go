package federation

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/scope"
)

func TestAGetAnswersWithTheRowAndItsSource(t *testing.T) {
	h := newHost(t)
	var filter scope.Filter
	var asked string
	h.get = func(_ context.Context, f scope.Filter, id string) (json.RawMessage, bool, error) {
		filter, asked = f, id
		return json.RawMessage(`{"id":"7","title":"dig"}`), true, nil
	}
	got := h.getItem(t, "tasks", "7")
	if want := `{"item":{"id":"7","title":"dig","_source":"local"}}` + "\n"; got.Code != http.StatusOK || got.Body.String() != want {
		t.Errorf("the answer is %d %s, not %s", got.Code, got.Body, want)
	}
	want := scope.Filter{Resource: "tasks", Subject: "user-1", Personal: true, Teams: []string{"team-1"}, Limit: 1}
	if diff := cmp.Diff(want, filter); diff != "" || asked != "7" {
		t.Errorf("the getter was asked for %q by another filter (-want +got):\n%s", asked, diff)
	}
	line := h.log.last(t)
	for field, want := range map[string]any{
		"level": "INFO", "verb": "get", "resource": "tasks", "item": "7", "status": 200.0, "code": "ok", "rows": 1.0, "truncated": false,
	} {
		if line[field] != want {
			t.Errorf("the field %s is %v, not %v", field, line[field], want)
		}
	}
	if h.authenticated.Load() != 2 || h.nativeAsked.Load() != 1 || h.got.Load() != 1 || h.listed.Load() != 0 {
		t.Errorf("a get asked the authenticator %d times, native access %d times, for rows %d times", h.authenticated.Load(), h.nativeAsked.Load(), h.reads())
	}
}

// What a peer may not see is not there: whatever the id and whyever there is no row,
// the answer is the same bytes.
func TestEveryRowThatDoesNotShowIsTheSame404(t *testing.T) {
	hidden := func(context.Context, scope.Filter, string) (json.RawMessage, bool, error) {
		return json.RawMessage(`{"id":"another's"}`), false, nil
	}
	nothing := func(h *host) {
		h.native = func(context.Context, scope.AccessRequest) (scope.Access, error) {
			return scope.Access{Allowed: true}, nil
		}
	}
	for _, accept := range []string{"", contentTypeProblem} {
		want := bytesOf(newHost(t).getItem(t, "tasks", "61", "Accept", accept))
		if !strings.HasPrefix(want, "404") || !strings.Contains(want, `"not_found"`) {
			t.Fatalf("a row that is not there is answered with\n%s", want)
		}
		for name, test := range map[string]struct {
			id    string
			spoil func(*host)
		}{
			"a row of another owner":           {"7", func(h *host) { h.get = hidden }},
			"a row that is not there":          {"61", nil},
			"an id that is none":               {"none", nil},
			"an id of spaces":                  {"   ", nil},
			"an id with a NUL":                 {"7\x00", nil},
			"an id that is not UTF-8":          {"\xff", nil},
			"an id with slashes":               {"7/8/../9", nil},
			"an id that ends in a slash":       {"7/", nil},
			"an id that is a path":             {"../../list/tasks", nil},
			"an id of a kilobyte":              {strings.Repeat("7", maxItemID), nil},
			"an id of a megabyte":              {strings.Repeat("7", 1<<20), nil},
			"a subject who sees no row at all": {"7", nothing},
			"a bad id, and no row could show":  {"\x00", nothing},
			"a getter that gives a broken none": {"7", func(h *host) {
				h.get = func(context.Context, scope.Filter, string) (json.RawMessage, bool, error) {
					return json.RawMessage(`{`), false, nil
				}
			}},
		} {
			h := newHost(t)
			if test.spoil != nil {
				test.spoil(h)
			}
			if got := bytesOf(h.getItem(t, "tasks", test.id, "Accept", accept)); got != want {
				t.Errorf("%s is answered with\n%s\nand not with\n%s", name, got, want)
			}
		}
	}
}

// Whoever is refused for another reason learns nothing of the row: the id makes no
// difference before the last rows of the table.
func TestARefusedGetIsTheSameForEveryID(t *testing.T) {
	for _, c := range getConditionsInOrder() {
		if c.sets == "item" || c.wire == "" {
			continue
		}
		var first string
		for _, id := range []string{"7", "61", "none", "7\x00", strings.Repeat("7", 5000)} {
			s := newGetSituation(t)
			c.hold(s)
			s.item = id
			got := bytesOf(s.serve(t))
			if c.code == codeQueryFailed && !isItemID(id) {
				continue // it never comes to a query
			}
			if first == "" {
				first = got
			}
			if got != first {
				t.Errorf("%s: the id %.20q is answered with\n%s\nand another with\n%s", c.name, id, got, first)
			}
		}
	}
}

// Row 16 for a get, where "not there" is an answer too: a peer whose grant was taken
// back gets the same 403 for a row that is there and for one that is not.
func TestAGrantRevokedWhileARowIsReadGetsNothing(t *testing.T) {
	var first string
	for _, id := range []string{"7", "61", "7\x00"} {
		for name, change := range map[string]func(*scope.Grant) error{
			"revoked":          func(*scope.Grant) error { return ErrGrantRevoked },
			"credential gone":  func(*scope.Grant) error { return ErrNoCredential },
			"another revision": func(g *scope.Grant) error { g.Revision++; return nil },
			"another subject":  func(g *scope.Grant) error { g.Subject = "user-2"; return nil },
			"another scope":    func(g *scope.Grant) error { g.Scope = narrower; return nil },
		} {
			h := newHost(t)
			h.authenticate = func(*http.Request) (scope.Grant, error) {
				if h.authenticated.Load() == 1 {
					return h.grant, nil
				}
				changed := h.grant
				err := change(&changed)
				return changed, err
			}
			got := h.getItem(t, "tasks", id)
			if first == "" {
				first = bytesOf(got)
			}
			if got.Code != http.StatusForbidden || bytesOf(got) != first {
				t.Errorf("%q, %s: the answer is %d %s", id, name, got.Code, got.Body)
			}
			if line := h.log.last(t); line["stage"] != "after" || line["rows"] != 0.0 {
				t.Errorf("%q, %s: the log says stage %v, rows %v", id, name, line["stage"], line["rows"])
			}
		}
	}
}

// After the deadline nobody has asked again if the grant stands, so that a row was not
// found must not be said either.
func TestARowThatIsNotFoundTooLateIsUnavailable(t *testing.T) {
	for _, id := range []string{"7", "61"} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(t)
			h.get = func(ctx context.Context, f scope.Filter, id string) (json.RawMessage, bool, error) {
				untilDeadline(ctx)
				return getNumber(ctx, f, id)
			}
			if got := h.getItem(t, "tasks", id); got.Code != http.StatusServiceUnavailable || h.log.last(t)["code"] != "deadline_exceeded" {
				t.Errorf("%s: the answer is %d %s", id, got.Code, got.Body)
			}
			if h.authenticated.Load() != 1 {
				t.Errorf("%s: the authenticator was asked %d times", id, h.authenticated.Load())
			}
		})
	}
}

func TestAGetHasNoBodyButAnEmptyObject(t *testing.T) {
	for body, want := range map[string]int{
		"": 200, "{}": 200, " { } ": 200,
		`{"limit":1}`: 400, `{"cursor":"x"}`: 400, `{"id":"8"}`: 400, `[]`: 400, `null`: 400, `{}{}`: 400, ` `: 400, `{`: 400,
		"{}" + strings.Repeat(" ", maxBody): 413,
	} {
		h := newHost(t)
		got := h.serve(t, newPost(Prefix+"get/tasks/7", body))
		if got.Code != want {
			t.Errorf("%.40q is answered with %d %s, not %d", body, got.Code, got.Body, want)
		}
		if want != 200 && h.authenticated.Load() != 0 {
			t.Errorf("%.40q reached the host", body)
		}
	}
	typed := newPost(Prefix+"get/tasks/7", "{}")
	typed.Header.Set("Content-Type", "text/plain")
	if got := newHost(t).serve(t, typed); got.Code != http.StatusUnsupportedMediaType {
		t.Errorf("a body of text is answered with %d", got.Code)
	}
}

func TestARowThatIsNoObjectIsNeverSent(t *testing.T) {
	for name, row := range map[string]string{
		"nothing": "", "null": "null", "an array": `[{"secret":1}]`, "two objects": `{"secret":1}{}`, "half an object": `{"secret":1`,
		"not UTF-8": "{\"secret\":\"\xff\"}", "a source of its own": `{"secret":1,"_source":"peer"}`, "an escaped one": `{"secret":1,"\u005fsource":"peer"}`,
	} {
		h := newHost(t)
		h.get = func(context.Context, scope.Filter, string) (json.RawMessage, bool, error) {
			return json.RawMessage(row), true, nil
		}
		got := h.getItem(t, "tasks", "7")
		if got.Code != http.StatusInternalServerError || mustError(t, got) != "internal_error" || strings.Contains(got.Body.String(), "secret") {
			t.Errorf("%s: the answer is %d %s", name, got.Code, got.Body)
		}
	}
}

// A Lister that can Get as well is not asked for rows unless it is the Getter: one that
// wraps another lister to hide rows would let them out.
func TestWithoutAGetterThereIsNoGet(t *testing.T) {
	h := newHost(t)
	h.get = nil
	want := bytesOf(newHost(t).serve(t, newPost(Prefix+"nothing", "")))
	if got := bytesOf(h.getItem(t, "tasks", "7")); got != want {
		t.Errorf("the answer is\n%s\nand not that to a path that is not there\n%s", got, want)
	}
	if h.authenticated.Load()+h.got.Load() != 0 {
		t.Error("somebody was asked")
	}
	if got := h.serve(t, newCapabilities()).Body.String(); strings.Contains(got, "get") {
		t.Errorf("the capabilities are %s", got)
	}
}

// Through a real server: what stands in a path escaped is the id.
func TestAnIDMayBeEscapedInThePath(t *testing.T) {
	h := newHost(t)
	var asked []string
	h.get = func(_ context.Context, _ scope.Filter, id string) (json.RawMessage, bool, error) {
		asked = append(asked, id)
		return nil, false, nil
	}
	server := httptest.NewServer(h.serving(t))
	defer server.Close()
	for _, path := range []string{"%37", "a%2Fb", "a/b", "%C3%BC", "a%20b", "a%3Fb?c=d", "%252F", "a;b", "..%2Fx", "7%00", "%ff"} {
		r, err := http.NewRequest(http.MethodPost, server.URL+Prefix+"get/tasks/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusNotFound {
			t.Errorf("%s is answered with %d", path, response.StatusCode)
		}
	}
	want := []string{"7", "a/b", "a/b", "ü", "a b", "a?b", "%2F", "a;b", "../x"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("the getter was asked for other ids (-want +got):\n%s", diff)
	}
}
