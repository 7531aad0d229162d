package federation

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// The canaries stand wherever the host's own data does.
const (
	canaryGrant   = "canary-grant-7f3a"
	canaryPeer    = "canary-peer-51c9"
	canarySubject = "canary-subject-e0d2"
	canaryTeam    = "canary-team-88b4"
	canarySQL     = "SELECT canary_column FROM canary_table"
	canaryReason  = "canary-reason-c41d"
	canaryPanic   = "canary-panic-09ee"
)

// newCanaryHost returns a host whose every own text is a canary.
func newCanaryHost(tb testing.TB) *host {
	h := newHost(tb)
	h.grant = newGrant(tb, `{"resources":["tasks","notes","memory","api_keys"],"excluded_resources":["credentials"],
		"filters":{"tasks":{"include_teams":["`+canaryTeam+`"]}},"max_rows_per_query":25}`)
	h.grant.ID, h.grant.Peer, h.grant.Subject = canaryGrant, canaryPeer, canarySubject
	h.native = func(_ context.Context, req scope.AccessRequest) (scope.Access, error) {
		return scope.Access{Allowed: req.Resource != "api_keys", Personal: true, Teams: []string{canaryTeam}, Reason: canaryReason}, nil
	}
	return h
}

// Law 9: nothing on the wire names a grant, subject, team, stage, SQL text or
// reason, whatever the outcome.
func TestNoCanaryIsEverOnTheWire(t *testing.T) {
	hidden := []string{"canary", "panicked", "goroutine", ".go:", "federation:", "scope:", "cursor:"}
	for _, r := range decisionTable {
		if string(r.code) != r.wire { // rate_limited is a code of the wire, too
			hidden = append(hidden, string(r.code))
		}
		if strings.Contains(string(r.stage), "_") { // the others are plain words
			hidden = append(hidden, string(r.stage))
		}
	}
	statuses := map[int]int{}
	requests := 0
	for name, spoil := range canaryFaults() {
		for _, accept := range errorForms {
			h := newCanaryHost(t)
			spoil(h)
			token := `"` + mustPage(t, newCanaryHost(t).post(t, "tasks", `{"limit":1}`)).NextCursor + `"`
			for _, r := range []*http.Request{
				newPost(Prefix+"list/tasks", ""),
				newPost(Prefix+"list/tasks", `{"limit":2,"cursor":`+token+`}`),
				newPost(Prefix+"list/notes", `{"cursor":`+token+`}`),
				newPost(Prefix+"list/credentials", ""),
				newPost(Prefix+"list/api_keys", ""),
				newPost(Prefix+"list/invoices", ""),
				newPost(Prefix+"list/tasks", `{"limit":0}`),
				newPost(Prefix+"list/tasks", `{"x":0}`),
				newPost(Prefix+"get/tasks/1", ""),
				newPost(Prefix+"get/tasks/61", ""),
				newPost(Prefix+"get/tasks/no-number", ""),
				newPost(Prefix+"get/credentials/1", ""),
				newPost(Prefix+"get/api_keys/1", ""),
				newPost(Prefix+"get/tasks/1", `{"x":0}`),
				newCapabilities(),
			} {
				r.Header.Set("Accept", accept)
				got := h.serve(t, r)
				requests++
				statuses[got.Code]++
				wire := bytesOf(got) + got.Header().Get(requestIDHeader)
				for _, text := range hidden {
					if strings.Contains(wire, text) {
						t.Errorf("%s, %s: %q is on the wire:\n%s", name, r.URL.Path, text, wire)
					}
				}
			}
		}
	}
	for _, status := range []int{200, 400, 401, 403, 404, 429, 500, 503} {
		if statuses[status] == 0 {
			t.Errorf("none of %d requests ended in %d: %v", requests, status, statuses)
		}
	}
}

// canaryFaults are the ways in which a part may try to tell more than it should.
func canaryFaults() map[string]func(*host) {
	spilled := errors.New(canarySQL + " " + canaryReason)
	panicking := func() { panic(canaryPanic) }
	return map[string]func(*host){
		"all is well":      func(*host) {},
		"no credential":    refusing(errors.Join(ErrNoCredential, spilled)),
		"grant revoked":    refusing(errors.Join(ErrGrantRevoked, spilled)),
		"grant store down": refusing(spilled),
		"authenticator panics": func(h *host) {
			h.authenticate = func(*http.Request) (scope.Grant, error) { panicking(); return h.grant, nil }
		},
		"scope invalid": func(h *host) { h.grant.Scope = scope.Scope{} },
		"limited":       func(h *host) { h.grants = limiterFunc(refuseAll) },
		"limiter panics": func(h *host) {
			h.grants = limiterFunc(func(string) (time.Duration, bool) { panicking(); return 0, true })
		},
		"native access fails": func(h *host) {
			h.native = func(context.Context, scope.AccessRequest) (scope.Access, error) { return scope.Access{}, spilled }
		},
		"native access panics": func(h *host) {
			h.native = func(context.Context, scope.AccessRequest) (scope.Access, error) {
				panicking()
				return scope.Access{}, nil
			}
		},
		"native access malformed": func(h *host) {
			h.native = func(context.Context, scope.AccessRequest) (scope.Access, error) {
				return scope.Access{Allowed: true, Teams: []string{canaryTeam, ""}, Reason: canaryReason}, nil
			}
		},
		"query fails": func(h *host) { h.list, h.get = failing(spilled), failingGet(spilled) },
		"database away": func(h *host) {
			away := errors.Join(scope.ErrUnavailable, spilled)
			h.list, h.get = failing(away), failingGet(away)
		},
		"getter panics": func(h *host) {
			h.get = func(context.Context, scope.Filter, string) (json.RawMessage, bool, error) {
				panicking()
				return nil, true, nil
			}
		},
		"getter spills in a row": func(h *host) {
			h.get = func(context.Context, scope.Filter, string) (json.RawMessage, bool, error) {
				return json.RawMessage(canarySQL), true, nil
			}
		},
		"getter spills beside nothing": func(h *host) {
			h.get = func(context.Context, scope.Filter, string) (json.RawMessage, bool, error) {
				return json.RawMessage(`{"id":"` + canarySQL + `"}`), false, nil
			}
		},
		"lister panics": func(h *host) {
			h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
				panicking()
				return nil, nil, nil
			}
		},
		"lister spills in a row": func(h *host) {
			h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
				return []json.RawMessage{json.RawMessage(canarySQL)}, nil, nil
			}
		},
		"layout panics": func(h *host) {
			h.layout = func(string) (cursor.Layout, bool) { panicking(); return cursor.Layout{}, true }
		},
		"revoked meanwhile": func(h *host) { h.authenticate = onceThen(h, errors.Join(ErrGrantRevoked, spilled)) },
	}
}

// The canaries are where the host needs them: in its log.
func TestTheLogSaysWhatTheWireDoesNot(t *testing.T) {
	h := newCanaryHost(t)
	h.list = failing(errors.New(canarySQL))
	h.post(t, "tasks", "")
	line := h.log.last(t)
	for field, want := range map[string]string{"grant": canaryGrant, "peer": canaryPeer, "subject": canarySubject, "err": canarySQL} {
		if line[field] != want {
			t.Errorf("the field %s is %v, not %s", field, line[field], want)
		}
	}
}
