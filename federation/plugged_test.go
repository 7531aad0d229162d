package federation

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// A fault is what may go wrong in any part, beside its good answer.
type fault func(ctx context.Context) error

// Law 8: an error, a panic or a timeout of anything the host plugged in never
// becomes an allow. Each part goes wrong in each way, and gives its good answer
// beside the error, as careless parts do.
func TestNoFaultOfAPartIsEverAnAllow(t *testing.T) {
	faults := map[string]fault{
		"an error":               func(context.Context) error { return errors.New("boom") },
		"unavailable":            func(context.Context) error { return scope.ErrUnavailable },
		"a deadline":             func(context.Context) error { return context.DeadlineExceeded },
		"a cancellation":         func(context.Context) error { return context.Canceled },
		"a panic with text":      func(context.Context) error { panic("boom") },
		"a panic with an error":  func(context.Context) error { panic(errors.New("boom")) },
		"a panic with nil":       func(context.Context) error { panic(nil) },
		"a panic of the runtime": func(context.Context) error { var none []error; return none[len(none)] },
		"a late answer":          func(ctx context.Context) error { <-ctx.Done(); return nil },
		"a late error":           func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"a late panic":           func(ctx context.Context) error { <-ctx.Done(); panic("boom") },
	}
	parts := map[string]func(*host, fault){
		"authenticator": func(h *host, f fault) {
			h.authenticate = func(r *http.Request) (scope.Grant, error) { return h.grant, f(r.Context()) }
		},
		"authenticator, second time": func(h *host, f fault) {
			h.authenticate = func(r *http.Request) (scope.Grant, error) {
				if h.authenticated.Load() == 1 {
					return h.grant, nil
				}
				return h.grant, f(r.Context())
			}
		},
		"native access": func(h *host, f fault) {
			native := h.native
			h.native = func(ctx context.Context, req scope.AccessRequest) (scope.Access, error) {
				access, _ := native(ctx, req)
				return access, f(ctx)
			}
		},
		"evaluator": func(h *host, f fault) {
			rules := newRules(t, h)
			h.evaluator = evaluatorFunc(func(ctx context.Context, req scope.Request) scope.Decision {
				decision := rules.Evaluate(ctx, req)
				if f(ctx) != nil {
					return scope.Decision{} // an Evaluator has no other way to fail
				}
				return decision
			})
		},
		"lister": func(h *host, f fault) {
			h.list = func(ctx context.Context, filter scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
				rows, next, _ := listNumbers(ctx, filter, after)
				return rows, next, f(ctx)
			}
		},
		"getter": func(h *host, f fault) {
			h.get = func(ctx context.Context, filter scope.Filter, id string) (json.RawMessage, bool, error) {
				row, found, _ := getNumber(ctx, filter, id)
				return row, found, f(ctx)
			}
		},
		"getter that finds nothing": func(h *host, f fault) {
			h.get = func(ctx context.Context, _ scope.Filter, _ string) (json.RawMessage, bool, error) {
				return nil, false, f(ctx)
			}
		},
	}
	for part, plug := range parts {
		for name, fault := range faults {
			for _, verb := range []string{verbList, verbGet} {
				if part == "lister" && verb == verbGet || strings.HasPrefix(part, "getter") && verb == verbList {
					continue
				}
				t.Run(part+" "+name+" "+verb, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { mustNotAllow(t, verb, part, plug, fault) })
				})
			}
		}
	}
}

// mustNotAllow serves a request while one part has a fault.
func mustNotAllow(t *testing.T, verb, part string, plug func(*host, fault), fault fault) {
	t.Helper()
	h := newHost(t)
	plug(h, fault)
	path := Prefix + verb + "/tasks"
	if verb == verbGet {
		path += "/7"
	}
	got := h.serve(t, newPost(path, ""))
	if code := mustError(t, got); got.Code != 500 && got.Code != 503 {
		t.Errorf("the answer is %d %s", got.Code, code)
	}
	if rows := h.log.last(t)["rows"]; rows != 0.0 {
		t.Errorf("the log says that %v rows were sent", rows)
	}
	after := part == "lister" || strings.HasPrefix(part, "getter") || part == "authenticator, second time"
	if !after && h.reads() != 0 {
		t.Error("rows were asked for nevertheless")
	}
}

// A limiter has no error and no context; what is left is a panic, and an answer
// that takes too long.
func TestNoFaultOfALimiterIsEverAnAllow(t *testing.T) {
	late := func() { time.Sleep(time.Hour) }
	for name, fault := range map[string]limiterFunc{
		"panics":       func(string) (time.Duration, bool) { panic("boom") },
		"is late":      func(string) (time.Duration, bool) { late(); return 0, true },
		"says no":      func(string) (time.Duration, bool) { return 0, false },
		"says no late": func(string) (time.Duration, bool) { late(); return 0, false },
	} {
		for limiter, plug := range map[string]func(*host){
			"address": func(h *host) { h.addresses = fault },
			"grant":   func(h *host) { h.grants = fault },
		} {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(t)
				plug(h)
				if got := h.post(t, "tasks", ""); got.Code == http.StatusOK {
					t.Errorf("the %s limiter %s, and the list answers %s", limiter, name, got.Body)
				}
				if got := h.serve(t, newCapabilities()); got.Code == http.StatusOK {
					t.Errorf("the %s limiter %s, and capabilities answer %s", limiter, name, got.Body)
				}
			})
		}
	}
}

// pastDeadline is a context whose deadline has passed and whose timer has not run
// yet, as it happens on a busy machine.
type pastDeadline struct{ context.Context }

func (pastDeadline) Deadline() (time.Time, bool) { return time.Now().Add(-time.Nanosecond), true }

func TestTheDeadlineCountsBeforeItsTimerHasRun(t *testing.T) {
	x := &exchange{ctx: pastDeadline{context.Background()}}
	if refused := x.overdue(stageAuthn); refused == nil || refused.code != codeDeadline {
		t.Errorf("an answer after the deadline ends as %+v", refused)
	}
}

// The parts are told when the time of the whole request is over.
func TestTheTimeoutIsTenSecondsUnlessTheHostNamesAnother(t *testing.T) {
	for named, want := range map[time.Duration]time.Duration{0: 10 * time.Second, time.Minute: time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(t)
			h.timeout = named
			start := time.Now()
			h.list = func(ctx context.Context, _ scope.Filter, _ cursor.Position) ([]json.RawMessage, cursor.Position, error) {
				untilDeadline(ctx)
				return nil, nil, ctx.Err()
			}
			got := h.post(t, "tasks", "")
			if waited := time.Since(start); got.Code != http.StatusServiceUnavailable || waited != want {
				t.Errorf("a timeout of %v answers %d after %v", named, got.Code, waited)
			}
		})
	}
}

// A client that hangs up is no fault of the host, wherever its request is by then.
func TestAClientThatHangsUpIsLoggedAsSuch(t *testing.T) {
	for part, plug := range map[string]func(h *host, hangUp func()){
		"authenticator fails": func(h *host, hangUp func()) {
			h.authenticate = func(r *http.Request) (scope.Grant, error) { hangUp(); return h.grant, r.Context().Err() }
		},
		"authenticator does not notice": func(h *host, hangUp func()) {
			h.authenticate = func(*http.Request) (scope.Grant, error) { hangUp(); return h.grant, nil }
		},
		"native access fails": func(h *host, hangUp func()) {
			h.native = func(ctx context.Context, _ scope.AccessRequest) (scope.Access, error) {
				hangUp()
				return scope.Access{}, ctx.Err()
			}
		},
		"native access does not notice": func(h *host, hangUp func()) {
			native := h.native
			h.native = func(ctx context.Context, req scope.AccessRequest) (scope.Access, error) {
				hangUp()
				return native(ctx, req)
			}
		},
		"lister fails in its own words": func(h *host, hangUp func()) {
			h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
				hangUp()
				return nil, nil, errors.New("57014: canceling statement due to user request")
			}
		},
		"lister does not notice": func(h *host, hangUp func()) {
			h.list = func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
				hangUp()
				return listNumbers(ctx, f, after)
			}
		},
	} {
		h := newHost(t)
		ctx, hangUp := context.WithCancel(context.Background())
		plug(h, hangUp)
		got := h.serve(t, newPost(Prefix+"list/tasks", "").WithContext(ctx))
		line := h.log.last(t)
		if got.Code == http.StatusOK || line["code"] != "client_gone" || line["level"] != "INFO" || line["status"] != 499.0 {
			t.Errorf("%s: the answer is %d; the log says %v, %v, %v, %v", part, got.Code, line["code"], line["stage"], line["status"], line["level"])
		}
	}
}

// http.ErrAbortHandler is how a handler drops the connection: it is no failure to
// be answered.
func TestAnAbortGoesOnToTheServer(t *testing.T) {
	abort := func() { panic(http.ErrAbortHandler) }
	for part, plug := range map[string]func(*host){
		"authenticator": func(h *host) {
			h.authenticate = func(*http.Request) (scope.Grant, error) { abort(); return h.grant, nil }
		},
		"limiter": func(h *host) {
			h.grants = limiterFunc(func(string) (time.Duration, bool) { abort(); return 0, true })
		},
		"evaluator": func(h *host) {
			h.evaluator = evaluatorFunc(func(context.Context, scope.Request) scope.Decision { abort(); return scope.Decision{} })
		},
		"auditor": func(h *host) {
			h.auditor = auditorFunc(func(context.Context, Record) error { abort(); return nil })
		},
		"lister": func(h *host) {
			h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
				abort()
				return nil, nil, nil
			}
		},
		"layout": func(h *host) {
			h.layout = func(string) (cursor.Layout, bool) { abort(); return cursor.Layout{}, true }
		},
	} {
		h := newHost(t)
		plug(h)
		w := newRecorder()
		panicked := func() (value any) {
			defer func() { value = recover() }()
			h.serving(t).ServeHTTP(w, newPost(Prefix+"list/tasks", ""))
			return nil
		}()
		if panicked != http.ErrAbortHandler || w.Body.Len() != 0 {
			t.Errorf("%s: the handler panicked with %v after writing %q", part, panicked, w.Body)
		}
		if line := h.log.last(t); line["code"] != "aborted" || line["status"] != 0.0 || line["level"] != "ERROR" {
			t.Errorf("%s: the log says %v", part, line)
		}
	}
}

func TestAHandlerNeedsItsParts(t *testing.T) {
	h := newHost(t)
	h.serving(t)
	complete := Config{Authenticator: h, Evaluator: h.evaluator, Lister: h, Cursors: h.cursors}
	if _, err := NewHandler(complete); err != nil {
		t.Errorf("a complete Config is refused: %v", err)
	}
	for name, spoil := range map[string]func(*Config){
		"without Authenticator":                func(c *Config) { c.Authenticator = nil },
		"without Evaluator":                    func(c *Config) { c.Evaluator = nil },
		"without Lister":                       func(c *Config) { c.Lister = nil },
		"without Cursors":                      func(c *Config) { c.Cursors = nil },
		"with a negative number of requests":   func(c *Config) { c.Concurrent = -1 },
		"with a negative timeout":              func(c *Config) { c.Timeout = -1 },
		"with a negative timeout of the audit": func(c *Config) { c.AuditTimeout = -1 },
	} {
		c := complete
		spoil(&c)
		if handler, err := NewHandler(c); err == nil || handler != nil {
			t.Errorf("a Config %s is accepted", name)
		}
	}
}

// Under the older meaning of panic(nil) recover returns nil, as if nothing had
// happened, and an empty result would pass for the last page.
func TestAPanicWithNilIsNoAnswerInItsOlderMeaningEither(t *testing.T) {
	t.Setenv("GODEBUG", "panicnil=1")
	h := newHost(t)
	h.list = func(context.Context, scope.Filter, cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		panic(nil)
	}
	if got := h.post(t, "tasks", ""); got.Code != http.StatusInternalServerError {
		t.Errorf("a lister that panics with nil is answered with %d %s", got.Code, got.Body)
	}
}

// A client that sends its body slowly has not used up the time of the host's parts.
func TestTheTimeOfARequestBeginsBehindItsBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		h.authenticate = func(r *http.Request) (scope.Grant, error) { return h.grant, r.Context().Err() }
		r := newPost(Prefix+"list/tasks", "{}")
		r.Body = slowBody{r.Body}
		if got := h.serve(t, r); got.Code != http.StatusOK {
			t.Errorf("a body that took an hour is answered with %d %s", got.Code, got.Body)
		}
	})
}

type slowBody struct{ io.ReadCloser }

func (b slowBody) Read(p []byte) (int, error) {
	time.Sleep(time.Hour)
	return b.ReadCloser.Read(p)
}
