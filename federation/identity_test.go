package federation

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mosaicstack/fedkit/scope"
)

// errorForms are the two forms of an error, by the Accept header that asks for
// each.
var errorForms = map[string]string{
	"envelope": "application/json",
	"problem":  "application/problem+json",
}

func TestAllWaysToHaveNoActiveGrantAreTheSameBytes(t *testing.T) {
	for form, accept := range errorForms {
		t.Run(form, func(t *testing.T) {
			var answers []string
			for _, err := range []error{ErrGrantUnknown, ErrGrantPending, ErrGrantRevoked, ErrGrantExpired, ErrGrantMismatch} {
				h := newHost(t)
				refusing(err)(h)
				answers = append(answers, bytesOf(h.post(t, "tasks", "", "Accept", accept)))
				answers = append(answers, bytesOf(h.serve(t, newCapabilities("Accept", accept))))
			}
			revokedMeanwhile, changedMeanwhile, loggedOffMeanwhile := newHost(t), newHost(t), newHost(t)
			revokedMeanwhile.authenticate = onceThen(revokedMeanwhile, ErrGrantRevoked)
			loggedOffMeanwhile.authenticate = onceThen(loggedOffMeanwhile, ErrNoCredential)
			changedMeanwhile.authenticate = func(*http.Request) (scope.Grant, error) {
				g := changedMeanwhile.grant
				g.Revision = changedMeanwhile.authenticated.Load()
				return g, nil
			}
			for _, h := range []*host{revokedMeanwhile, changedMeanwhile, loggedOffMeanwhile} {
				answers = append(answers, bytesOf(h.post(t, "tasks", "", "Accept", accept)))
			}
			mustBeEqual(t, answers, http.StatusForbidden)
		})
	}
}

func TestExcludedNotGrantedAndNativelyDeniedAreTheSameBytes(t *testing.T) {
	for form, accept := range errorForms {
		t.Run(form, func(t *testing.T) {
			var answers []string
			ask := func(h *host, resource string, want scope.Code) {
				answers = append(answers, bytesOf(h.post(t, resource, "", "Accept", accept)))
				if got := h.log.last(t)["code"]; got != string(want) {
					t.Errorf("%s is denied as %v, not as %s", resource, got, want)
				}
			}
			narrow := newHost(t)
			narrow.grant.Scope = narrower
			secretive := newHost(t)
			secretive.native = func(context.Context, scope.AccessRequest) (scope.Access, error) {
				return scope.Access{Reason: "the subject has left"}, nil
			}
			ask(newHost(t), "credentials", scope.CodeResourceExcluded)
			ask(narrow, "memory", scope.CodeResourceNotGranted)
			ask(newHost(t), "api_keys", scope.CodeNativeDenied)
			ask(secretive, "tasks", scope.CodeNativeDenied)
			mustBeEqual(t, answers, http.StatusForbidden)
		})
	}
}

func TestAllBadCursorsAreTheSameBytes(t *testing.T) {
	var answers []string
	for _, f := range cursorFaults(t) {
		if f.code != codeQueryFailed {
			answers = append(answers, bytesOf(f.serve(t, newHost(t))))
		}
	}
	mustBeEqual(t, answers, http.StatusBadRequest)
}

// Which part of the host is out of reach is nobody else's business.
func TestAllKindsOfUnavailableAreTheSameBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var answers []string
		for _, f := range failures(t) {
			if rulings[f.code].wire == wireUnavailable {
				answers = append(answers, bytesOf(f.serve(t, newHost(t))))
			}
		}
		mustBeEqual(t, answers, http.StatusServiceUnavailable)
	})
}

// Law 4 at this layer: what the subject cannot see does not change a byte.
func TestEqualPagesAreEqualBytes(t *testing.T) {
	var answers []string
	for range 3 {
		answers = append(answers, bytesOf(newHost(t).post(t, "tasks", `{"limit":5}`)))
	}
	mustBeEqual(t, answers, http.StatusOK)
}

// mustBeEqual compares rendered answers, and guards against comparing answers that
// are all something else.
func mustBeEqual(t *testing.T, answers []string, status int) {
	t.Helper()
	if len(answers) < 2 || !strings.HasPrefix(answers[0], strconv.Itoa(status)) {
		t.Fatalf("these are not the answers to compare: %q", answers)
	}
	for i, answer := range answers {
		if answer != answers[0] {
			t.Errorf("answer %d is\n%s\nand the first one\n%s", i, answer, answers[0])
		}
	}
}

// onceThen authenticates once and refuses from then on.
func onceThen(h *host, err error) func(*http.Request) (scope.Grant, error) {
	return func(*http.Request) (scope.Grant, error) {
		if h.authenticated.Load() == 1 {
			return h.grant, nil
		}
		return scope.Grant{}, err
	}
}
