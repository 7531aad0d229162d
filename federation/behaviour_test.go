package federation

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// The behaviours of the list controller that this handler takes the place of. Each
// test quotes the behaviour it stands for; where fedkit is stricter, it says so.

// Behaviour: "declares POST /api/federation/v1/list/:resource protected only by
// FederationAuthGuard".
func TestTheListIsAPostBehindTheAuthenticatorAlone(t *testing.T) {
	h := newHost(t)
	if got := h.serve(t, newPost("/api/federation/v1/list/tasks", "")); got.Code != http.StatusOK {
		t.Errorf("POST is answered with %d %s", got.Code, got.Body)
	}
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"} {
		r := newPost("/api/federation/v1/list/tasks", "")
		r.Method = method
		got := h.serve(t, r)
		if got.Code != http.StatusMethodNotAllowed || got.Header().Get("Allow") != http.MethodPost {
			t.Errorf("%s is answered with %d, Allow: %q", method, got.Code, got.Header().Get("Allow"))
		}
	}
	h.authenticate = func(*http.Request) (scope.Grant, error) { return h.grant, ErrNoCredential }
	if got := h.post(t, "tasks", "", "Cookie", "session=admin"); got.Code != http.StatusUnauthorized {
		t.Errorf("what the authenticator refuses is answered with %d", got.Code)
	}
}

// Behaviour: "runs AuthGuard context through ScopeService and returns local-source
// tagged rows".
func TestTheGrantGoesThroughTheEvaluatorAndRowsAreTaggedLocal(t *testing.T) {
	h := newHost(t)
	var access scope.AccessRequest
	native := h.native
	h.native = func(ctx context.Context, req scope.AccessRequest) (scope.Access, error) {
		access = req
		return native(ctx, req)
	}
	var filter scope.Filter
	start := cursor.Position{cursor.NullValue()}
	h.list = func(_ context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		filter, start = f, after
		return []json.RawMessage{json.RawMessage(`{"id":"task-1","createdAt":"2026-06-24T00:00:00Z"}`)}, nil, nil
	}
	got := h.post(t, "tasks", `{"limit":10}`)

	wantAccess := scope.AccessRequest{Grant: "grant-1", Peer: "peer-1", Subject: "user-1", Resource: "tasks"}
	if diff := cmp.Diff(wantAccess, access); diff != "" {
		t.Errorf("native access was asked something else (-want +got):\n%s", diff)
	}
	wantFilter := scope.Filter{Resource: "tasks", Subject: "user-1", Personal: true, Teams: []string{"team-1"}, Limit: 10}
	if diff := cmp.Diff(wantFilter, filter); diff != "" {
		t.Errorf("the lister got another filter (-want +got):\n%s", diff)
	}
	if start != nil {
		t.Errorf("a list without cursor starts at %v", start)
	}
	want := `{"items":[{"id":"task-1","createdAt":"2026-06-24T00:00:00Z","_source":"local"}]}` + "\n"
	if got.Code != http.StatusOK || got.Body.String() != want {
		t.Errorf("the page is %d %s, not %s", got.Code, got.Body, want)
	}
}

// Behaviour: "preserves pagination metadata when row cap truncates the query layer
// result".
func TestATruncatedPageSaysSoAndItsCursorGoesOn(t *testing.T) {
	h := newHost(t)
	var ids []string
	body, pages := `{"limit":"7"}`, 0
	for {
		page := mustPage(t, h.post(t, "tasks", body))
		pages++
		for _, item := range page.Items {
			ids = append(ids, item["id"].(string))
			if item["_source"] != "local" {
				t.Fatalf("the row %v has another source", item)
			}
		}
		if page.Truncated != (page.NextCursor != "") {
			t.Fatalf("page %d has _truncated %t beside the cursor %q", pages, page.Truncated, page.NextCursor)
		}
		if !page.Truncated {
			break
		}
		body = `{"cursor":"` + page.NextCursor + `","limit":7}`
	}
	if len(ids) != storedRows || pages != 9 || ids[0] != "1" || ids[storedRows-1] != "60" {
		t.Errorf("%d pages show %d rows: %v", pages, len(ids), ids)
	}
}

// Behaviour: "returns a federation error envelope when auth guard context is
// missing".
func TestAnUnknownPeerGetsTheEnvelopeAndNothingIsEvaluated(t *testing.T) {
	h := newHost(t)
	evaluated := false
	h.evaluator = evaluatorFunc(func(context.Context, scope.Request) scope.Decision {
		evaluated = true
		return scope.Decision{}
	})
	h.authenticate = func(*http.Request) (scope.Grant, error) { return scope.Grant{}, ErrNoCredential }
	got := h.post(t, "tasks", "")
	want := `{"error":{"code":"unauthorized","message":"no verified credential"}}` + "\n"
	if got.Code != http.StatusUnauthorized || got.Body.String() != want {
		t.Errorf("the answer is %d %s, not %s", got.Code, got.Body, want)
	}
	if evaluated || h.listed.Load() != 0 {
		t.Errorf("the evaluator was asked: %t, the lister %d times", evaluated, h.listed.Load())
	}
}

// Behaviour: "returns a federation error envelope when scope evaluation denies
// access". The seed sends its whole denial along; fedkit says no more than that.
func TestADenialGetsTheEnvelopeAndNothingIsListed(t *testing.T) {
	h := newHost(t)
	got := h.post(t, "credentials", "{}")
	want := `{"error":{"code":"scope_violation","message":"this resource may not be read"}}` + "\n"
	if got.Code != http.StatusForbidden || got.Body.String() != want {
		t.Errorf("the answer is %d %s, not %s", got.Code, got.Body, want)
	}
	if h.listed.Load() != 0 {
		t.Errorf("the lister was asked %d times", h.listed.Load())
	}
}

// Behaviour: "rejects malformed request body fields before querying storage".
func TestMalformedBodyFieldsAreRejectedBeforeStorageIsAsked(t *testing.T) {
	for _, body := range []string{
		`{"cursor":123}`, `{"limit":false}`, `{"limit":"abc"}`, // the seed's
		`{"cursor":null}`, `{"cursor":""}`, `{"limit":null}`, `{"limit":"1e3"}`, `{"limit":"0x10"}`, `{"limit":" 5 "}`,
	} {
		h := newHost(t)
		got := h.post(t, "tasks", body)
		if code := mustError(t, got); got.Code != http.StatusBadRequest || code != "invalid_request" {
			t.Errorf("%s is answered with %d %s", body, got.Code, code)
		}
		if asked := h.nativeAsked.Load() + h.listed.Load(); asked != 0 {
			t.Errorf("%s reached native access or the lister", body)
		}
	}
}
