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

// examples returns requests that are worth trying with these grants. The cursor among
// them is a real one: the handler gave it with the first page.
func examples(handler http.Handler, grants []grant) []example {
	first, cursor, ok := firstPage(handler, grants)
	if !ok {
		return nil
	}
	found := []example{first}
	if cursor != "" {
		next := first
		next.title = "The next page, by the cursor that came with the first"
		next.body = fmt.Sprintf(`{"limit":%d,"cursor":"%s"}`, examplePage, cursor)
		found = append(found, next)
	}
	return append(found,
		// Whatever a grant says, native access denies credentials.
		example{title: "A resource that is refused, with 403", token: first.token, verb: "list/credentials", body: "{}"},
		example{title: "What this grant allows", token: first.token, verb: "capabilities"},
	)
}

// firstPage looks for a list with more than one page, and settles for one that is
// allowed at all. It returns the cursor of the second page, if there is one.
func firstPage(handler http.Handler, grants []grant) (best example, cursor string, ok bool) {
	for _, resource := range []string{"tasks", "notes", "memory"} {
		for _, g := range presentable(grants) {
			e := example{
				title: "The first page of " + resource,
				token: g.token,
				verb:  "list/" + resource,
				body:  fmt.Sprintf(`{"limit":%d}`, examplePage),
			}
			cursor, allowed := e.ask(handler)
			if allowed && cursor != "" {
				return e, cursor, true
			}
			if allowed && !ok {
				best, ok = e, true
			}
		}
	}
	return best, "", ok
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

// ask sends a list to the handler, without a network in between, and returns the
// cursor of the next page and whether there was an answer.
func (e example) ask(handler http.Handler) (cursor string, ok bool) {
	r, err := http.NewRequest(http.MethodPost, federation.Prefix+e.verb, strings.NewReader(e.body))
	if err != nil {
		return "", false
	}
	r.Header.Set("Authorization", "Bearer "+e.token)
	r.Header.Set("Content-Type", "application/json")
	answer := recorder{header: make(http.Header)}
	handler.ServeHTTP(&answer, r)
	var page struct{ NextCursor string }
	if answer.status != http.StatusOK || json.Unmarshal(answer.body.Bytes(), &page) != nil {
		return "", false
	}
	return page.NextCursor, true
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
