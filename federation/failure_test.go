package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// A failure is one way in which a request ends without data that is no single row
// of the decision table: a part of the host fails, or one of several causes that
// share a row.
type failure struct {
	name  string
	code  scope.Code
	serve func(testing.TB, *host) *httptest.ResponseRecorder
}

// spoiled returns the failure that shows in a list of tasks once spoil has changed
// the host.
func spoiled(name string, code scope.Code, spoil func(*host)) failure {
	return failure{name, code, func(tb testing.TB, h *host) *httptest.ResponseRecorder {
		spoil(h)
		return h.post(tb, "tasks", "")
	}}
}

// evaluatorFunc is an Evaluator.
type evaluatorFunc func(ctx context.Context, req scope.Request) scope.Decision

func (f evaluatorFunc) Evaluate(ctx context.Context, req scope.Request) scope.Decision {
	return f(ctx, req)
}

func refusing(err error) func(*host) {
	return func(h *host) {
		h.authenticate = func(*http.Request) (scope.Grant, error) { return h.grant, err }
	}
}

// unlisted is a lister that knows no resource.
func unlisted(string) (cursor.Layout, bool) { return cursor.Layout{}, false }

// untilDeadline waits until the request's time is over. Tests that come here run in
// the fake time of testing/synctest.
func untilDeadline(ctx context.Context) { <-ctx.Done() }

// failures are the ways to fail that need no cursor.
func failures(tb testing.TB) []failure {
	return []failure{
		{"the body breaks off", codeBadBody, func(tb testing.TB, h *host) *httptest.ResponseRecorder {
			r := newPost(Prefix+"list/tasks", "{}")
			r.Body = brokenBody{}
			return h.serve(tb, r)
		}},
		spoiled("no certificate", codeNoCredential, refusing(fmt.Errorf("mtls: %w", ErrNoCredential))),
		spoiled("grant unknown", codeGrantUnknown, refusing(fmt.Errorf("lookup: %w", ErrGrantUnknown))),
		spoiled("grant pending", codeGrantPending, refusing(ErrGrantPending)),
		spoiled("grant expired", codeGrantExpired, refusing(ErrGrantExpired)),
		spoiled("grant of another subject", codeGrantMismatch, refusing(ErrGrantMismatch)),
		spoiled("the grant store is down", codeAuthnUnavailable, refusing(errors.New("dial tcp: refused"))),
		spoiled("the authenticator panics", codeAuthnUnavailable, func(h *host) {
			h.authenticate = func(*http.Request) (scope.Grant, error) { panic("boom") }
		}),
		spoiled("the authenticator panics with a verdict", codeAuthnUnavailable, func(h *host) {
			h.authenticate = func(*http.Request) (scope.Grant, error) { panic(ErrGrantRevoked) }
		}),
		spoiled("the authenticator outlasts the deadline", codeDeadline, func(h *host) {
			h.authenticate = func(r *http.Request) (scope.Grant, error) { untilDeadline(r.Context()); return h.grant, nil }
		}),
		spoiled("the address limiter panics", codeLimiterFailed, func(h *host) {
			h.addresses = limiterFunc(func(string) (time.Duration, bool) { panic("boom") })
		}),
		spoiled("the grant limiter panics", codeLimiterFailed, func(h *host) {
			h.grants = limiterFunc(func(string) (time.Duration, bool) { panic("boom") })
		}),
		spoiled("the evaluator decides nothing", scope.CodeUndecided, func(h *host) {
			h.evaluator = evaluatorFunc(func(context.Context, scope.Request) scope.Decision { return scope.Decision{} })
		}),
		spoiled("the evaluator panics", codeEvaluatorFailed, func(h *host) {
			h.evaluator = evaluatorFunc(func(context.Context, scope.Request) scope.Decision { panic("boom") })
		}),
		spoiled("the evaluator answers another question", codeEvaluatorFailed, func(h *host) {
			rules := newRules(tb, h)
			h.evaluator = evaluatorFunc(func(ctx context.Context, req scope.Request) scope.Decision {
				req.Resource = "notes"
				return rules.Evaluate(ctx, req)
			})
		}),
		spoiled("the evaluator answers for another subject", codeEvaluatorFailed, func(h *host) {
			rules := newRules(tb, h)
			h.evaluator = evaluatorFunc(func(ctx context.Context, req scope.Request) scope.Decision {
				req.Grant.Subject = "user-2"
				return rules.Evaluate(ctx, req)
			})
		}),
		spoiled("the evaluator lets more rows through than the cap", codeEvaluatorFailed, func(h *host) {
			rules := newRules(tb, h)
			h.evaluator = evaluatorFunc(func(ctx context.Context, req scope.Request) scope.Decision {
				req.Grant.Scope = wideScope(tb)
				return rules.Evaluate(ctx, req)
			})
		}),
		spoiled("an error panics when it is looked at", codeHandlerFailed, refusing((*brokenError)(nil))),
		spoiled("native access panics", scope.CodeNativeUnavailable, func(h *host) {
			h.native = func(context.Context, scope.AccessRequest) (scope.Access, error) { panic("boom") }
		}),
		spoiled("the grant changed meanwhile", codeGrantChanged, func(h *host) {
			revision := int64(0)
			h.authenticate = func(*http.Request) (scope.Grant, error) {
				revision++
				g := h.grant
				g.Revision = revision
				return g, nil
			}
		}),
		spoiled("the lister does not serve the resource", codeNotListed, func(h *host) { h.layout = unlisted }),
		spoiled("the layout panics", codeQueryFailed, func(h *host) {
			h.layout = func(string) (cursor.Layout, bool) { panic("boom") }
		}),
		spoiled("the lister panics", codeQueryFailed, func(h *host) {
			h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
				panic("boom")
			}
		}),
		spoiled("the query is cancelled by somebody else", codeQueryFailed, func(h *host) {
			h.list = failing(context.Canceled)
		}),
		spoiled("the database is away", codeQueryUnavailable, func(h *host) {
			h.list = failing(fmt.Errorf("dial unix: %w", scope.ErrUnavailable))
		}),
		spoiled("the query has a deadline of its own", codeQueryUnavailable, func(h *host) {
			h.list = failing(fmt.Errorf("statement: %w", context.DeadlineExceeded))
		}),
		spoiled("the driver words the deadline in its own way", codeQueryUnavailable, func(h *host) {
			h.list = func(ctx context.Context, _ scope.Filter, _ cursor.Position) ([]json.RawMessage, cursor.Position, error) {
				untilDeadline(ctx)
				return nil, nil, errors.New("57014: canceling statement due to user request")
			}
		}),
		spoiled("the page comes after the deadline", codeDeadline, func(h *host) {
			h.list = func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
				untilDeadline(ctx)
				return listNumbers(ctx, f, after)
			}
		}),
		spoiled("the auditor is away", codeAuditFailed, func(h *host) {
			h.auditor = auditorFunc(func(context.Context, Record) error { return errors.New("disk full") })
		}),
		{"the client hangs up", codeClientGone, func(tb testing.TB, h *host) *httptest.ResponseRecorder {
			ctx, hangUp := context.WithCancel(context.Background())
			h.list = func(ctx context.Context, _ scope.Filter, _ cursor.Position) ([]json.RawMessage, cursor.Position, error) {
				hangUp()
				return nil, nil, ctx.Err()
			}
			return h.serve(tb, newPost(Prefix+"list/tasks", "").WithContext(ctx))
		}},
	}
}

// brokenBody is the body of a client that breaks off.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("unexpected EOF") }
func (brokenBody) Close() error             { return nil }

// cursorFaults are all kinds of bad cursors.
func cursorFaults(tb testing.TB) []failure {
	good := mustPage(tb, newHost(tb).post(tb, "tasks", "")).NextCursor
	sent := func(name string, code scope.Code, cursor string) failure {
		return failure{name, code, func(tb testing.TB, h *host) *httptest.ResponseRecorder {
			return h.post(tb, "tasks", `{"cursor":`+cursor+`}`)
		}}
	}
	expired := func(tb testing.TB, h *host) *httptest.ResponseRecorder {
		now := time.Date(2026, 6, 24, 3, 0, 0, 0, time.UTC)
		h.cursors = newCodec(tb, cursor.Config{TTL: time.Hour, Now: func() time.Time { return now }})
		token := mustPage(tb, h.post(tb, "tasks", "")).NextCursor
		now = now.Add(time.Hour)
		return h.post(tb, "tasks", `{"cursor":"`+token+`"}`)
	}
	otherKey := func(tb testing.TB, h *host) *httptest.ResponseRecorder {
		h.cursors = newCodec(tb, cursor.Config{Keys: newKeyring(tb, "x")})
		return h.post(tb, "tasks", `{"cursor":"`+good+`"}`)
	}
	return []failure{
		sent("a null cursor", codeCursorNotText, `null`),
		sent("an empty cursor", codeCursorNotText, `""`),
		sent("a number", codeCursorNotText, `123`),
		sent("a boolean", codeCursorNotText, `false`),
		sent("an array", codeCursorNotText, `["`+good+`"]`),
		sent("an object", codeCursorNotText, `{}`),
		sent("not base64", codeCursorMalformed, `"not base64!"`),
		sent("a second spelling of the same bytes", codeCursorMalformed, `"`+good+`="`),
		sent("a line end behind it", codeCursorMalformed, `"`+good+`\n"`),
		sent("a NUL behind it", codeCursorMalformed, `"`+good+`\u0000"`),
		sent("longer than any cursor", codeCursorTooLong, `"`+strings.Repeat("A", maxCursor+1)+`"`),
		sent("another version", codeCursorVersion, `"`+strings.Repeat("A", len(good))+`"`),
		sent("the last byte changed", codeCursorForged, `"`+flipped(good)+`"`),
		{"a cursor of notes", codeCursorMismatch, func(tb testing.TB, h *host) *httptest.ResponseRecorder {
			return h.post(tb, "notes", `{"cursor":"`+good+`"}`)
		}},
		{"a cursor for a resource that is not served", codeCursorMismatch, func(tb testing.TB, h *host) *httptest.ResponseRecorder {
			h.layout = unlisted
			return h.post(tb, "tasks", `{"cursor":"`+good+`"}`)
		}},
		{"a cursor of another key", codeCursorUnknownKey, otherKey},
		{"an expired cursor", codeCursorExpired, expired},
		{"the layout panics", codeQueryFailed, func(tb testing.TB, h *host) *httptest.ResponseRecorder {
			h.layout = func(string) (cursor.Layout, bool) { panic("boom") }
			return h.post(tb, "tasks", `{"cursor":"`+good+`"}`)
		}},
	}
}

// flipped changes a token in its next to last character, which has no bits that
// only pad.
func flipped(token string) string {
	at := len(token) - 2
	other := byte('A')
	if token[at] == other {
		other = 'B'
	}
	return token[:at] + string(other) + token[at+1:]
}

// A brokenError that is nil panics when anybody asks what it wraps: a host's typed nil.
type brokenError struct{ cause error }

func (e *brokenError) Error() string { return "broken" }
func (e *brokenError) Unwrap() error { return e.cause }

// wideScope allows more rows than the scope of any grant in these tests.
func wideScope(tb testing.TB) scope.Scope {
	tb.Helper()
	wide, err := scope.Parse(scope.Standard(), []byte(`{"resources":["tasks"],"max_rows_per_query":10000}`))
	if err != nil {
		tb.Fatal(err)
	}
	return wide
}
