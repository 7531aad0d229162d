package federationtest

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/scope"
)

func TestAFaultThatOneFormOrOneVerbHasIsFoundByItsCase(t *testing.T) {
	t.Parallel()
	plantAll(t, newReal(t), Gateway{}, faultsOfOnePlace)
}

func TestEachPlantedFaultOfAFanOutIsFoundByItsCase(t *testing.T) {
	t.Parallel()
	sound := newReal(t)
	keys, err := cursor.NewKeyring([]byte(strings.Repeat("f", 32)))
	if err != nil {
		t.Fatal(err)
	}
	sound.FanOut, err = federation.NewFanOut(federation.FanOutConfig{
		Keys:          keys,
		SourceTimeout: time.Minute,
		Peers:         func(context.Context, scope.Grant) ([]federation.Peer, error) { return nil, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	plantAll(t, sound, Gateway{}, faultsOfFanOut)
}

// isProblem tells if an answer is an error in its second form.
func (a *recorded) isProblem() bool {
	return a.header.Get("Content-Type") == "application/problem+json"
}

// replace changes a part of the body.
func (a *recorded) replace(old, by string) {
	a.body = bytes.ReplaceAll(a.body, []byte(old), []byte(by))
}

// isShown tells if a path ends with the id of a row of the fixture.
func isShown(r *http.Request) bool {
	return strings.Contains(published, r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
}

// lent lets requests pass as if somebody had asked them.
func lent(token string, which func(*http.Request) bool) func(*real) {
	return func(r *real) {
		r.wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if which(r) {
					r.Header.Set("Authorization", "Bearer "+token)
				}
				next.ServeHTTP(w, r)
			})
		}
	}
}

// faultsOfOnePlace are where one form, verb, or kind of page is wrong and its like is not.
var faultsOfOnePlace = []fault{
	{"ended grants that problem details tell apart", 140, altered(func(r *http.Request, a *recorded) {
		if a.isProblem() && r.Header.Get("Authorization") == "Bearer conf-expired" {
			a.replace("access denied", "access expired")
		}
	})},
	{"an exclusion that problem details tell from what is not granted", 142, altered(func(r *http.Request, a *recorded) {
		if a.isProblem() && strings.HasSuffix(r.URL.Path, "/memory") {
			a.replace(`"detail":"`, `"detail":"not granted: `)
		}
	})},
	{"a row that does not show, which problem details tell from none", 202, altered(func(r *http.Request, a *recorded) {
		if a.isProblem() && a.status == 404 && isShown(r) {
			a.replace(`"detail":"`, `"detail":"hidden: `)
		}
	})},
	{"a get of memory for who has no personal rows", 202, lent("conf-all", func(r *http.Request) bool {
		return r.Header.Get("Authorization") == "Bearer conf-red" && strings.Contains(r.URL.Path, "/get/memory/")
	})},
	{"a get that names another source", 201, altered(func(r *http.Request, a *recorded) {
		if strings.Contains(r.URL.Path, "/get/") {
			a.replace(`"_source":"local"`, `"_source":"peer:x"`)
		}
	})},
	{"a stranger that gets rows", 141, lent("conf-all", func(r *http.Request) bool {
		return r.Header.Get("Authorization") == "" && strings.Contains(r.URL.Path, "/get/")
	})},
	{"a stranger that is told capabilities", 141, lent("conf-all", func(r *http.Request) bool {
		return r.Header.Get("Authorization") == "Bearer conf-nobody" && strings.HasSuffix(r.URL.Path, "/capabilities")
	})},
	{"a cap that does not hold behind a cursor", 110, lister(func(next federation.Lister) listFunc {
		return func(ctx context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
			if after != nil && f.Limit == 4 {
				f.Limit--
			}
			return next.List(ctx, f, after)
		}
	})},
	{"an empty object that is asked for less", 101, asked(func(_ *http.Request, body string) string {
		return regexp.MustCompile(`^{}$`).ReplaceAllString(body, `{"limit":1}`)
	})},
	{"a next page where no row remains", 102, altered(func(r *http.Request, a *recorded) {
		if strings.HasSuffix(r.URL.Path, "/list/tasks") && a.status == 200 && !bytes.Contains(a.body, []byte("nextCursor")) {
			a.body = regexp.MustCompile(`}]}\s*$`).ReplaceAll(a.body, []byte(`}],"nextCursor":"end","_truncated":true}`))
		}
		if strings.Contains(a.asked, `"cursor":"end"`) {
			a.status, a.body = 200, []byte(`{"items":[]}`)
		}
	})},
	{"a member that is there twice", 101, altered(func(_ *http.Request, a *recorded) { a.replace(`"title":`, `"title":"canary","title":`) })},
	{"text that is not UTF-8", 140, altered(func(_ *http.Request, a *recorded) { a.replace("access denied", "access denied\xff") })},
	{"a verb that is no feature", 146, altered(func(_ *http.Request, a *recorded) { a.replace(`"get",`, ``) })},
	{"cursors that are longer than they may be", 146, altered(func(_ *http.Request, a *recorded) {
		a.body = regexp.MustCompile(`"max_cursor_length":\d+`).ReplaceAll(a.body, []byte(`"max_cursor_length":20`))
	})},
	{"a feature that is not said", 146, altered(func(_ *http.Request, a *recorded) { a.replace(`,"problem_json"`, ``) })},
	{"documents that are said to be there, and are not", 147, altered(func(_ *http.Request, a *recorded) { a.replace(`"features":[`, `"features":["contract",`) })},
	{"documents for who has no grant any more", 147, func(r *real) {
		r.Contract = true
		lent("conf-all", func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, ".json") })(r)
	}},
}

// merging tells if a request is for several sources.
func merging(body string) bool { return strings.Contains(body, `"source":"all"`) }

// sources changes the answers to requests for several.
func sources(change func(r *http.Request, a *recorded)) func(*real) {
	return altered(func(r *http.Request, a *recorded) {
		if merging(a.asked) {
			change(r, a)
		}
	})
}

var faultsOfFanOut = []fault{
	{"a source that is ignored", 305, asked(func(_ *http.Request, body string) string {
		return strings.ReplaceAll(body, `"source":"x"`, `"source":"local"`)
	})},
	{"a source in another case", 305, asked(func(_ *http.Request, body string) string { return strings.ReplaceAll(body, `"LOCAL"`, `"local"`) })},
	{"own rows under another name", 302, sources(func(_ *http.Request, a *recorded) { a.replace(`"_source":"local"`, `"_source":"peer:x"`) })},
	{"sources that are not told", 304, sources(func(_ *http.Request, a *recorded) {
		a.body = regexp.MustCompile(`,"_sources":\[[^]]*\]`).ReplaceAll(a.body, nil)
	})},
	{"a source that has failed, and is not said to be missing", 304, sources(func(_ *http.Request, a *recorded) {
		a.body = regexp.MustCompile(`"state":"[a-z]+"`).ReplaceAll(a.body, []byte(`"state":"failed","code":"timeout"`))
	})},
	{"a list that is partial without reason", 302, sources(func(_ *http.Request, a *recorded) { a.replace(`"_sources":`, `"_partial":true,"_sources":`) })},
	{"another order where lists are merged", 302, sources(func(_ *http.Request, a *recorded) {
		var page map[string]json.RawMessage
		var items []json.RawMessage
		if json.Unmarshal(a.body, &page) == nil && json.Unmarshal(page["items"], &items) == nil {
			slices.Reverse(items)
			page["items"], _ = json.Marshal(items)
			a.body, _ = json.Marshal(page)
		}
	})},
	{"rows of teams that the grant leaves out, where lists are merged", 302, func(r *real) {
		lent("conf-all", func(r *http.Request) bool {
			return r.Header.Get("Authorization") == "Bearer conf-red" && r.ContentLength > int64(len(`{"limit":3}`))
		})(r)
	}},
	{"a refusal of all sources that is another one", 308, sources(func(_ *http.Request, a *recorded) { a.replace("access denied", "all access denied") })},
	{"a request that goes on to others for ever", 307, func(r *real) {
		r.wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Del("X-Federation-Hop")
				next.ServeHTTP(w, r)
			})
		}
	}},
	{"merged cursors for everybody", 306, func(r *real) { r.wrap = borrowedCursors }},
}
