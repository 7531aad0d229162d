package hosttest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/federation"
)

// strict is the header that a service puts on each of its answers.
const strict = "Strict-Transport-Security"

// answer is what a program said.
type answer struct {
	status int
	header http.Header
	text   string

	Items []struct {
		Title string `json:"title"`
	} `json:"items"`
	NextCursor string `json:"nextCursor"`
	Item       struct {
		Title string `json:"title"`
	} `json:"item"`
}

// ask sends a request until the program has time for it.
func (h host) ask(t *testing.T, method, path, body string, header http.Header) (got answer) {
	t.Helper()
	h.HasTime(func() int {
		got = h.exchange(t, method, path, body, header)
		return got.status
	})
	return got
}

// exchange sends a request once, and reads an answer in JSON if it is one.
func (h host) exchange(t *testing.T, method, path, body string, header http.Header) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, text: string(text)}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(text, &a); err != nil {
			t.Fatalf("%s %s is answered with %q, which is no JSON: %v", method, path, text, err)
		}
	}
	return a
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// peer sends a request of the peer that has the token.
func (h host) peer(t *testing.T, token, path, body string) answer {
	t.Helper()
	header := bearer(token)
	if body != "" {
		header.Set("Content-Type", "application/json")
	}
	return h.ask(t, http.MethodPost, federation.Prefix+path, body, header)
}

// pages lists all tasks, page by page.
func (h host) pages(t *testing.T) []string {
	t.Helper()
	var titles []string
	body := ""
	for range shown { // more pages than there may be
		page := h.peer(t, token, "list/tasks", body)
		if page.status != http.StatusOK {
			t.Fatalf("a page is answered with %d: %s", page.status, page.text)
		}
		for _, item := range page.Items {
			titles = append(titles, item.Title)
		}
		if page.NextCursor == "" {
			return titles
		}
		body = `{"cursor":"` + page.NextCursor + `"}`
	}
	t.Fatalf("the list has no end after %d rows", len(titles))
	return nil
}

// Peers tests that a program answers peers, by what their grants show.
func Peers(t *testing.T) {
	h := start(t)
	if diff := cmp.Diff(shown, h.pages(t)); diff != "" {
		t.Errorf("the pages of all tasks (-want +got):\n%s", diff)
	}
	if got := h.peer(t, token, "get/tasks/"+id(2, 1), ""); got.Item.Title != shown[1] {
		t.Errorf("a task is answered with %d %s, want %q", got.status, got.text, shown[1])
	}
	h.refuses(t, "a task of another user", "get/tasks/"+id(2, 2), token, http.StatusNotFound, "not_found")
	h.refuses(t, "an id with a slash at its end", "get/tasks/a%2F", token, http.StatusNotFound, "no such item")
	h.refuses(t, "what the grant does not name", "list/notes", token, http.StatusForbidden, "scope_violation")
	h.refuses(t, "an unknown token", "list/tasks", token+"x", http.StatusUnauthorized, "unauthorized")
	h.refuses(t, "a path of no verb", "lists/tasks", token, http.StatusNotFound, "not_found")
	if _, err := h.db.Exec(`UPDATE peer_grants SET revoked = true`); err != nil {
		t.Fatal(err)
	}
	h.refuses(t, "a revoked grant", "list/tasks", token, http.StatusForbidden, "forbidden")
	if _, err := h.db.Exec(`DROP TABLE peer_grants`); err != nil {
		t.Fatal(err)
	}
	got := h.exchange(t, http.MethodPost, federation.Prefix+"list/tasks", "", bearer(token))
	if got.status != http.StatusServiceUnavailable || !strings.Contains(got.text, "unavailable") {
		t.Errorf("with a database without grants a list is answered with %d %s, want 503 and unavailable", got.status, got.text)
	}
}

func (h host) refuses(t *testing.T, name, path, token string, status int, says string) {
	t.Helper()
	if got := h.peer(t, token, path, ""); got.status != status || !strings.Contains(got.text, says) {
		t.Errorf("%s is answered with %d %s, want %d and %q", name, got.status, got.text, status, says)
	}
}

// OwnRoutes tests that the routes of a service and those of peers stand side by side:
// each with its own credentials, and both under what is around every route.
func OwnRoutes(t *testing.T) {
	h := start(t)
	session := http.Header{"Cookie": {"session=1"}}
	for _, test := range []struct {
		name, method, path string
		header             http.Header
		status             int
		says               string
	}{
		{"its health", http.MethodGet, "/healthz", nil, http.StatusOK, "healthy"},
		{"an account", http.MethodGet, "/account", session, http.StatusOK, "your account"},
		{"an account without a session", http.MethodGet, "/account", nil, http.StatusUnauthorized, "sign in"},
		{"an account with a peer's token", http.MethodGet, "/account", bearer(token), http.StatusUnauthorized, "sign in"},
		{"a peer with its token alone", http.MethodPost, federation.Prefix + "list/tasks", bearer(token), http.StatusOK, shown[0]},
		{"a peer with a session alone", http.MethodPost, federation.Prefix + "list/tasks", session, http.StatusUnauthorized, "unauthorized"},
		{"a method that peers do not have", http.MethodDelete, federation.Prefix + "list/tasks", bearer(token), http.StatusMethodNotAllowed, "invalid_request"},
	} {
		got := h.ask(t, test.method, test.path, "", test.header.Clone())
		if got.status != test.status || !strings.Contains(got.text, test.says) {
			t.Errorf("%s is answered with %d %q, want %d and %q", test.name, got.status, got.text, test.status, test.says)
		}
		if got.header.Get(strict) == "" {
			t.Errorf("%s is answered without the header that is around every route", test.name)
		}
	}
}
