package federation

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// Row 16. The two columns are the request P and the host Q:
//
//	P: authenticate, evaluate
//	P: list … the page is computed
//	                                Q: revoke or change the grant
//	P: authenticate again -> 403, the page is thrown away
func TestAGrantThatChangesWhileThePageIsComputedGetsNothing(t *testing.T) {
	for name, change := range map[string]func(*scope.Grant) error{
		"revoked":          func(*scope.Grant) error { return ErrGrantRevoked },
		"expired":          func(*scope.Grant) error { return ErrGrantExpired },
		"credential gone":  func(*scope.Grant) error { return ErrNoCredential },
		"another revision": func(g *scope.Grant) error { g.Revision++; return nil },
		"another grant":    func(g *scope.Grant) error { g.ID = "grant-2"; return nil },
		"another subject":  func(g *scope.Grant) error { g.Subject = "user-2"; return nil },
		"another scope":    func(g *scope.Grant) error { g.Scope = narrower; return nil },
		"invalid scope":    func(g *scope.Grant) error { g.Scope = scope.Scope{}; return nil },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			var err error
			h.authenticate = func(*http.Request) (scope.Grant, error) { return h.grant, err }
			h.list = func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
				rows, next, _ := listNumbers(ctx, f, after)
				err = change(&h.grant)
				return rows, next, nil
			}
			got := h.post(t, "tasks", "")
			if got.Code != http.StatusForbidden || mustError(t, got) != "forbidden" {
				t.Errorf("the answer is %d %s", got.Code, got.Body)
			}
			line := h.log.last(t)
			if code := line["code"].(string); !strings.HasPrefix(code, "grant_") || line["stage"] != "after" || line["rows"] != 0.0 {
				t.Errorf("the log says code %s, stage %v, rows %v", code, line["stage"], line["rows"])
			}
		})
	}
}

// An empty answer is an answer too: law 10 counts from the next response on.
func TestAGrantRevokedBeforeAnEmptyPageGetsNothing(t *testing.T) {
	h := newHost(t)
	h.authenticate = onceThen(h, ErrGrantRevoked)
	h.native = func(context.Context, scope.AccessRequest) (scope.Access, error) {
		return scope.Access{Allowed: true}, nil
	}
	if got := h.post(t, "tasks", ""); got.Code != http.StatusForbidden {
		t.Errorf("the answer is %d %s", got.Code, got.Body)
	}
}

func TestAnAuthenticatorThatFailsTheSecondTimeIsUnavailable(t *testing.T) {
	for name, second := range map[string]func() (scope.Grant, error){
		"error": func() (scope.Grant, error) { return scope.Grant{}, errors.New("connection reset") },
		"panic": func() (scope.Grant, error) { panic("boom") },
	} {
		h := newHost(t)
		h.authenticate = func(*http.Request) (scope.Grant, error) {
			if h.authenticated.Load() == 1 {
				return h.grant, nil
			}
			return second()
		}
		if got := h.post(t, "tasks", ""); got.Code != http.StatusServiceUnavailable || strings.Contains(got.Body.String(), "items") {
			t.Errorf("%s: the answer is %d %s", name, got.Code, got.Body)
		}
	}
}

// The same request is shown to the authenticator both times, with a deadline, and
// with nothing to wait for in its body.
func TestTheAuthenticatorSeesTheSameRequestTwice(t *testing.T) {
	h := newHost(t)
	var seen []*http.Request
	h.authenticate = func(r *http.Request) (scope.Grant, error) {
		if _, limited := r.Context().Deadline(); !limited {
			t.Error("the authenticator has no deadline")
		}
		if n, _ := r.Body.Read(make([]byte, 1)); n != 0 {
			t.Error("the authenticator can read the body")
		}
		seen = append(seen, r)
		return h.grant, nil
	}
	mustPage(t, h.post(t, "tasks", `{"limit":1}`, "Authorization", "Bearer x"))
	if len(seen) != 2 || seen[0] != seen[1] || seen[0].Header.Get("Authorization") != "Bearer x" {
		t.Errorf("the authenticator saw %v", seen)
	}
}
