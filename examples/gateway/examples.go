package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/mosaicstack/fedkit/federation"
)

// An example is a request for a newcomer to paste.
type example struct {
	title string
	token string
	verb  string // the path behind federation.Prefix
	body  string // JSON; empty: a GET
}

// examplePage is the page size of the examples: small enough to read, and to leave a
// next page.
const examplePage = 2

// examples returns requests that are worth trying with these grants. The cursor and the
// row among them are real ones: the handler gave them with the first page.
func examples(handler http.Handler, grants []grant) []example {
	first, got, ok := firstPage(handler, grants)
	if !ok {
		return nil
	}
	found := []example{first}
	if got.NextCursor != "" {
		next := first
		next.title = "The next page, by the cursor that came with the first"
		next.body = fmt.Sprintf(`{"limit":%d,"cursor":"%s"}`, examplePage, got.NextCursor)
		found = append(found, next)
	}
	if len(got.Items) > 0 {
		found = append(found, example{
			title: "A single row", token: first.token, verb: "get" + strings.TrimPrefix(first.verb, "list") + "/" + got.Items[0].ID, body: "{}",
		})
	}
	return append(found,
		// Whatever a grant says, native access denies credentials.
		example{title: "A resource that is refused, with 403", token: first.token, verb: "list/credentials", body: "{}"},
		example{title: "What this grant allows", token: first.token, verb: "capabilities"},
	)
}

// A page is what an example needs of one.
type page struct {
	Items      []struct{ ID string }
	NextCursor string
}

// firstPage looks for a list with more than one page, and settles for one that is
// allowed at all.
func firstPage(handler http.Handler, grants []grant) (best example, first page, ok bool) {
	for _, resource := range []string{"tasks", "notes", "memory"} {
		for _, g := range presentable(grants) {
			e := example{
				title: "The first page of " + resource,
				token: g.token,
				verb:  "list/" + resource,
				body:  fmt.Sprintf(`{"limit":%d}`, examplePage),
			}
			got, allowed := e.ask(handler)
			if allowed && got.NextCursor != "" {
				return e, got, true
			}
			if allowed && (!ok || len(got.Items) > len(first.Items)) {
				best, first, ok = e, got, true
			}
		}
	}
	return best, first, ok
}

// plainToken is what RFC 6750 allows for a token. A fixture may hold another, which no
// header can carry or which a shell would have to quote.
var plainToken = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

// presentable returns active grants to make examples of, but no more than can be tried
// in a moment.
func presentable(grants []grant) (some []grant) {
	const most = 20
	for _, g := range grants {
		if g.status == "active" && plainToken.MatchString(g.token) && len(some) < most {
			some = append(some, g)
		}
	}
	return some
}

// ask sends a list to the handler, without a network in between, and returns the page
// and whether there was one.
func (e example) ask(handler http.Handler) (got page, ok bool) {
	r, err := http.NewRequest(http.MethodPost, federation.Prefix+e.verb, strings.NewReader(e.body))
	if err != nil {
		return page{}, false
	}
	r.Header.Set("Authorization", "Bearer "+e.token)
	r.Header.Set("Content-Type", "application/json")
	answer := recorder{header: make(http.Header)}
	handler.ServeHTTP(&answer, r)
	if answer.status != http.StatusOK || json.Unmarshal(answer.body.Bytes(), &got) != nil {
		return page{}, false
	}
	return got, true
}

// curl returns the example as a command for a Unix shell.
func (e example) curl(address string) string {
	authorization := fmt.Sprintf("curl -H 'Authorization: Bearer %s'", e.token)
	url := address + federation.Prefix + e.verb
	if e.body == "" {
		return fmt.Sprintf("  %s \\\n    %s\n", authorization, url)
	}
	return fmt.Sprintf("  %s -H 'Content-Type: application/json' \\\n    %s \\\n    -d '%s'\n", authorization, url, e.body)
}

// recorder is an http.ResponseWriter that keeps the answer. (The one of httptest would
// add a flag of its own to every program that links it.)
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) { r.status = status }

func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
