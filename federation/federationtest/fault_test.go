package federationtest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/scope"
)

// A fault is one thing that a gateway does wrong, and the case that must find it.
type fault struct {
	name  string
	by    int
	plant func(*real)
}

func TestEachPlantedFaultIsFoundByItsCase(t *testing.T) {
	t.Parallel()
	plantAll(t, newReal(t), Gateway{}, slices.Concat(faultsOfParts, faultsOnTheWire))
}

// plantAll plants the faults into a sound gateway, one after the other.
func plantAll(t *testing.T, sound real, g Gateway, faults []fault) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			broken := sound
			f.plant(&broken)
			g.URL = broken.serve(t)
			s, err := begin(t.Context(), g)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(cases, func(c testCase) bool { return c.number == f.by })
			if got := s.run(t.Context(), cases[i]); got.Result != Failed || len(got.Problems) == 0 {
				t.Errorf("case %d (%s) is %s", got.Number, got.Name, got.Result)
			}
		})
	}
}

// leak adds a hidden task to the last page of tasks, if there is room.
var leak = lister(func(next federation.Lister) listFunc {
	return func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
		rows, at, err := next.List(ctx, f, after)
		if at == nil && f.Resource == "tasks" && f.Limit > len(rows) {
			var hidden map[string]any
			data := load()
			for _, task := range data.Tasks {
				if task["id"] == data.hidden("conf-all", "tasks")[0] {
					hidden = taskColumns.row(task, 0).members
				}
			}
			text, _ := json.Marshal(hidden)
			rows = append(rows, text)
		}
		return rows, at, err
	}
})

// faultsOfParts are in what the host wires together, behind a handler that is sound.
var faultsOfParts = []fault{
	{"a leak of a team that the subject is not in", 104, leak},
	{"a row more than there are, whose time is due to none", 163, leak},
	{"teams that the grant leaves out", 104, filtered(func(f *scope.Filter) {
		all := load()
		f.Teams = slices.Sorted(slices.Values(all.view(all.grant("conf-all"), f.Resource).teams))
	})},
	{"personal rows that the grant leaves out", 104, filtered(func(f *scope.Filter) { f.Personal = true })},
	{"memory for who has no personal rows", 106, func(r *real) { r.Authenticator = filterless{r.Authenticator} }},
	{"rows for who has none", 105, func(r *real) { r.Authenticator = filterless{r.Authenticator} }},
	{"a cursor that loses what its millisecond has more of", 103, lister(func(next federation.Lister) listFunc {
		return func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
			rows, at, err := next.List(ctx, f, after)
			at = slices.Clone(at)
			for i, v := range at {
				if v.Kind() == cursor.KindTime {
					at[i] = cursor.TimeValue(v.Time().Truncate(time.Millisecond))
				}
			}
			return rows, at, err
		}
	})},
	{"a cursor that loses what its microsecond has more of", 103, lister(func(next federation.Lister) listFunc {
		return func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
			after = slices.Clone(after)
			for i, v := range after {
				if v.Kind() == cursor.KindUUID {
					after[i] = cursor.UUIDValue(cursor.UUID{})
				}
			}
			return next.List(ctx, f, after)
		}
	})},
	{"a cursor that repeats its row", 102, lister(func(next federation.Lister) listFunc {
		return func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
			after = slices.Clone(after)
			for i, v := range after {
				if v.Kind() == cursor.KindTime {
					after[i] = cursor.TimeValue(v.Time().Add(time.Microsecond))
				}
			}
			return next.List(ctx, f, after)
		}
	})},
	{"a row that a page leaves out", 102, lister(func(next federation.Lister) listFunc {
		return func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
			rows, at, err := next.List(ctx, f, after)
			return rows[:max(0, len(rows)-1)], at, err
		}
	})},
	{"rows in another order", 101, lister(func(next federation.Lister) listFunc {
		return func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
			rows, at, err := next.List(ctx, f, after)
			slices.Reverse(rows)
			return rows, at, err
		}
	})},
	{"rows of one microsecond in another order", 103, lister(func(next federation.Lister) listFunc {
		return func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
			rows, at, err := next.List(ctx, f, after)
			if f.Limit == 1 && len(rows) == 1 && bytes.Contains(rows[0], []byte("03:00:05.0005")) && after != nil {
				again, _, _ := next.List(ctx, f, nil)
				rows = again
			}
			return rows, at, err
		}
	})},
	{"a get that shows what a list does not", 202, func(r *real) { r.Getter = openGetter{r.Getter} }},
	{"cursors for everybody", 125, func(r *real) { r.wrap = borrowedCursors }},
}

// faultsOnTheWire are between the handler and its peers.
var faultsOnTheWire = []fault{
	{"a row that does not show is 403 where one that is not there is 404", 202, altered(func(r *http.Request, a *recorded) {
		if id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]; a.status == 404 && strings.Contains(published, id) {
			a.error(403, "scope_violation", "this resource may not be read")
		}
	})},
	{"a header for a row that does not show", 202, altered(func(r *http.Request, a *recorded) {
		if id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]; a.status == 404 && strings.Contains(published, id) {
			a.header.Set("X-Debug", "hidden")
		}
	})},
	{"a limit of 1e1", 121, asked(func(_ *http.Request, body string) string { return strings.ReplaceAll(body, "1e1", "10") })},
	{"a limit of 0 that is no limit", 121, asked(func(_ *http.Request, body string) string { return strings.ReplaceAll(body, `"limit":0`, `"limit":1`) })},
	{"a limit above the cap that is refused", 120, altered(func(r *http.Request, a *recorded) {
		if strings.Contains(a.asked, "1000000") {
			a.error(400, "invalid_request", "limit is above the cap")
		}
	})},
	{"a limit that is not kept", 102, asked(func(_ *http.Request, body string) string {
		return regexp.MustCompile(`"limit":\d+`).ReplaceAllString(body, `"limit":5`)
	})},
	{"an unknown member that is ignored", 122, asked(func(_ *http.Request, body string) string { return strings.Replace(body, `,"page":1`, "", 1) })},
	{"a member twice", 122, asked(func(_ *http.Request, body string) string { return strings.Replace(body, `,"limit":1}`, "}", 1) })},
	{"a member in another case", 122, asked(func(_ *http.Request, body string) string { return strings.Replace(body, `"Limit"`, `"limit"`, 1) })},
	{"an empty cursor that is the first page", 123, asked(func(_ *http.Request, body string) string { return strings.Replace(body, `{"cursor":""}`, "{}", 1) })},
	{"a null cursor that is the first page", 123, asked(func(_ *http.Request, body string) string { return strings.Replace(body, `{"cursor":null}`, "{}", 1) })},
	{"a changed cursor that is the first page", 124, retried},
	{"a wrong status", 140, altered(func(_ *http.Request, a *recorded) {
		if a.status == 403 {
			a.status = 401
		}
	})},
	{"ended grants that can be told apart", 140, altered(func(r *http.Request, a *recorded) {
		if r.Header.Get("Authorization") == "Bearer conf-expired" {
			a.body = bytes.Replace(a.body, []byte("access denied"), []byte("access expired"), 1)
		}
	})},
	{"an exclusion that can be told from what is not granted", 142, altered(func(r *http.Request, a *recorded) {
		if strings.HasSuffix(r.URL.Path, "/memory") && a.status == 403 {
			a.header.Set("Warning", "not granted")
		}
	})},
	{"an unknown resource that is 404", 143, altered(func(r *http.Request, a *recorded) {
		if strings.HasSuffix(r.URL.Path, "/invoices") {
			a.error(404, "not_found", "no such resource")
		}
	})},
	{"a limit that is decided before the exclusion", 144, altered(func(_ *http.Request, a *recorded) {
		if strings.Contains(a.asked, `"limit":0`) {
			a.error(400, "invalid_request", "limit must be an integer of 1 or more")
		}
	})},
	{"another content type", 160, altered(func(_ *http.Request, a *recorded) { a.header.Set("Content-Type", "text/json") })},
	{"answers that may be cached", 160, altered(func(_ *http.Request, a *recorded) { a.header.Set("Cache-Control", "private, max-age=60") })},
	{"errors that may be cached", 160, altered(func(_ *http.Request, a *recorded) {
		if a.status >= 400 {
			a.header.Del("Cache-Control")
		}
	})},
	{"a grant in an error", 140, altered(func(_ *http.Request, a *recorded) {
		a.body = bytes.Replace(a.body, []byte("access denied"), []byte("access denied to "+load().Grants[0].ID), 1)
	})},
	{"SQL in an error", 121, altered(func(_ *http.Request, a *recorded) {
		if a.status == 400 {
			a.error(400, "invalid_request", `pq: syntax error in "SELECT * FROM canary"`)
		}
	})},
	{"the stage of a denial", 142, altered(func(_ *http.Request, a *recorded) {
		a.body = bytes.Replace(a.body, []byte(`{"code":"scope_violation",`), []byte(`{"code":"scope_violation","stage":"native_rbac",`), 1)
	})},
	{"teams in the capabilities", 145, altered(func(_ *http.Request, a *recorded) {
		a.body = bytes.Replace(a.body, []byte(`"supported_verbs"`), []byte(`"teams":["`+load().Teams[0].ID+`"],"supported_verbs"`), 1)
	})},
	{"the cap of another grant", 145, altered(func(_ *http.Request, a *recorded) {
		a.body = bytes.Replace(a.body, []byte(`"max_rows_per_query":4`), []byte(`"max_rows_per_query":10`), 1)
	})},
	{"a request id of its own", 161, altered(func(_ *http.Request, a *recorded) { a.header.Set("X-Request-Id", "mine") })},
	{"a member with another value", 104, altered(func(_ *http.Request, a *recorded) {
		a.body = bytes.ReplaceAll(a.body, []byte(`"status":"open"`), []byte(`"status":"done"`))
	})},
	{"rows without a source", 164, altered(func(_ *http.Request, a *recorded) {
		a.body = bytes.ReplaceAll(a.body, []byte(`,"_source":"local"`), nil)
	})},
	{"times to the millisecond", 163, altered(func(_ *http.Request, a *recorded) {
		a.body = regexp.MustCompile(`(\.\d{3})\d+Z`).ReplaceAll(a.body, []byte("${1}Z"))
	})},
	{"a failure for a strange path", 129, altered(func(r *http.Request, a *recorded) {
		if strings.Contains(r.URL.Path, "\x00") {
			a.error(500, "internal_error", "internal error")
		}
	})},
	{"a body beyond the limit that is read", 127, func(r *real) {
		r.wrap = asking(func(_ *http.Request, body string) string { return strings.TrimRight(body, " ") })
	}},
	{"a type that is not JSON", 126, func(r *real) {
		r.wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Set("Content-Type", "application/json")
				next.ServeHTTP(w, r)
			})
		}
	}},
	{"problems for everybody", 162, func(r *real) {
		r.wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Set("Accept", "application/problem+json")
				next.ServeHTTP(w, r)
			})
		}
	}},
	{"a get by GET", 205, func(r *real) {
		r.wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "/get/") {
					r.Method = http.MethodPost
				}
				next.ServeHTTP(w, r)
			})
		}
	}},
	{"a stranger that is let in", 141, func(r *real) {
		r.wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") == "" {
					r.Header.Set("Authorization", "Bearer conf-all")
				}
				next.ServeHTTP(w, r)
			})
		}
	}},
}

// listFunc is a Lister of the rows and the layout of another.
type listFunc func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error)

type brokenLister struct {
	federation.Lister
	list listFunc
}

func (l brokenLister) List(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
	return l.list(ctx, f, after)
}

func lister(breaks func(next federation.Lister) listFunc) func(*real) {
	return func(r *real) { r.Lister = brokenLister{r.Lister, breaks(r.Lister)} }
}

// filtered changes the filter of each list.
func filtered(change func(*scope.Filter)) func(*real) {
	return lister(func(next federation.Lister) listFunc {
		return func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
			change(&f)
			return next.List(ctx, f, after)
		}
	})
}

// filterless loses the filters of each grant.
type filterless struct{ federation.Authenticator }

func (a filterless) Authenticate(r *http.Request) (scope.Grant, error) {
	g, err := a.Authenticator.Authenticate(r)
	if err == nil {
		g.Scope, err = scope.Parse(scope.Standard(), []byte(`{"resources":["tasks","notes","memory"],"max_rows_per_query":100}`))
	}
	return g, err
}

// openGetter shows rows to whoever may see another one.
type openGetter struct{ federation.Getter }

func (g openGetter) Get(ctx context.Context, f scope.Filter, id string) (json.RawMessage, bool, error) {
	row, found, err := g.Getter.Get(ctx, f, id)
	if err == nil && !found {
		f.Subject = "conf-bob"
		return g.Getter.Get(ctx, f, id)
	}
	return row, found, err
}

// recorded is an answer that can still be changed.
type recorded struct {
	asked  string // the body of the request
	status int
	header http.Header
	body   []byte
}

func (a *recorded) error(status int, code, message string) {
	a.status = status
	a.body, _ = json.Marshal(map[string]any{"error": map[string]string{"code": code, "message": message}})
}

// answering is a proxy that changes answers.
func answering(change func(*http.Request, *recorded)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(text))
			got := httptest.NewRecorder()
			next.ServeHTTP(got, r)
			a := recorded{string(text), got.Code, got.Header(), got.Body.Bytes()}
			change(r, &a)
			maps.Copy(w.Header(), a.header)
			w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
			w.WriteHeader(a.status)
			w.Write(a.body)
		})
	}
}

func altered(change func(*http.Request, *recorded)) func(*real) {
	return func(r *real) { r.wrap = answering(change) }
}

// asking is a proxy that changes the bodies of requests.
func asking(change func(*http.Request, string) string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, _ := io.ReadAll(r.Body)
			body := change(r, string(text))
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			next.ServeHTTP(w, r)
		})
	}
}

func asked(change func(*http.Request, string) string) func(*real) {
	return func(r *real) { r.wrap = asking(change) }
}

// retried starts a list over if its cursor is refused.
func retried(r *real) {
	r.wrap = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, _ := io.ReadAll(r.Body)
			send := func(body string) *httptest.ResponseRecorder {
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
				got := httptest.NewRecorder()
				next.ServeHTTP(got, r)
				return got
			}
			got := send(string(text))
			if got.Code == http.StatusBadRequest && bytes.Contains(text, []byte("cursor")) {
				got = send("{}")
			}
			maps.Copy(w.Header(), got.Header())
			w.WriteHeader(got.Code)
			w.Write(got.Body.Bytes())
		})
	}
}

// borrowedCursors takes the cursor of anybody for anybody's: it asks as the one to whom
// the cursor was given.
func borrowedCursors(next http.Handler) http.Handler {
	var mu sync.Mutex
	owner := map[string]*http.Request{}
	return answering(func(r *http.Request, a *recorded) {
		mu.Lock()
		defer mu.Unlock()
		var read struct{ NextCursor, Cursor string }
		json.Unmarshal(a.body, &read)
		json.Unmarshal([]byte(a.asked), &read)
		if read.NextCursor != "" {
			owner[read.NextCursor] = r
		}
		if of := owner[read.Cursor]; a.status == http.StatusBadRequest && of != nil {
			again := of.Clone(context.WithoutCancel(r.Context()))
			again.Body, again.ContentLength = io.NopCloser(strings.NewReader(a.asked)), int64(len(a.asked))
			again.Header.Set("X-Request-Id", r.Header.Get("X-Request-Id"))
			got := httptest.NewRecorder()
			next.ServeHTTP(got, again)
			a.status, a.header, a.body = got.Code, got.Header(), got.Body.Bytes()
		}
	})(next)
}
