package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/internal/demo"
	"github.com/mosaicstack/fedkit/internal/programtest"
)

func TestEveryPageIsWhatTheOracleShows(t *testing.T) {
	t.Parallel()
	checkPages(t, start(t), 3, 10_000)
}

func TestRequestsAtOnceAreAllAnsweredAlike(t *testing.T) {
	t.Parallel()
	p := start(t)
	want := list(t, p, "demo-1", "tasks", 500)
	if want.status != http.StatusOK {
		t.Fatalf("a request is answered with %d, want 200", want.status)
	}
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for range 8 {
				if diff := cmp.Diff(want, list(t, p, "demo-1", "tasks", 500), cmp.AllowUnexported(answer{})); diff != "" {
					t.Errorf("one of many requests at once is answered otherwise (-want +got):\n%s", diff)
				}
			}
		})
	}
	all.Wait()
}

func TestACursorOutlivesTheProgramIfItsKeyDoes(t *testing.T) {
	t.Parallel()
	with := func(key string) *program {
		cmd := command()
		cmd.Env = append(cmd.Env, "FEDKIT_CURSOR_KEY="+key)
		return served(t, programtest.Start(t, cmd))
	}
	key, other := strings.Repeat("5a", 32), strings.Repeat("A5", 40)
	cursor := list(t, with(key), "demo-1", "tasks", 3).next
	for _, test := range []struct {
		name, key string
		want      int
	}{
		{"the same key", key, http.StatusOK},
		{"another key", other, http.StatusBadRequest},
		{"a random key", "", http.StatusBadRequest},
	} {
		body := fmt.Sprintf(`{"limit":3,"cursor":%q}`, cursor)
		got := ask(t, with(test.key), "demo-1", "tasks", body).status
		if got != test.want {
			t.Errorf("a gateway with %s answers a cursor of the first one with %d, want %d", test.name, got, test.want)
		}
	}
}

// checkPages walks every list of every active grant of the built-in data in pages of
// each limit, and compares the ids with the oracle's. A limit may be above the caps.
func checkPages(t *testing.T, p *program, limits ...int) {
	t.Helper()
	o := oracle{demo.BuiltIn()}
	shown := 0
	for _, g := range o.Grants {
		for _, resource := range []string{"tasks", "notes", "memory"} {
			if g.Status != "active" || !slices.Contains(o.scope(t, g).Resources(), resource) {
				continue
			}
			want := o.shows(t, g, resource)
			shown += len(want)
			for _, limit := range limits {
				if got := walk(t, p, g.Token, resource, limit); !slices.Equal(got, want) {
					t.Errorf("%s for %s in pages of %d are\n%q, want\n%q", resource, g.Token, limit, got, want)
				}
			}
		}
	}
	if shown < 100 {
		t.Errorf("the demo grants show %d rows in all, too few to prove anything", shown)
	}
}

// walk lists a resource to its end and returns the ids.
func walk(t *testing.T, p *program, token, resource string, limit int) (ids []string) {
	t.Helper()
	for body := fmt.Sprintf(`{"limit":%d}`, limit); ; {
		page := ask(t, p, token, resource, body)
		if page.status != http.StatusOK {
			t.Fatalf("%s for %s is answered with %d after %d rows", resource, token, page.status, len(ids))
		}
		for _, item := range page.items {
			ids = append(ids, item["id"].(string))
		}
		if page.next == "" {
			return ids
		}
		body = fmt.Sprintf(`{"limit":%d,"cursor":%q}`, limit, page.next)
	}
}

// answer is the response to a list.
type answer struct {
	status int
	items  []map[string]any
	next   string
	code   string // of an error
}

// list asks for the first page, as [ask] does.
func list(t *testing.T, p *program, token, resource string, limit int) answer {
	t.Helper()
	return ask(t, p, token, resource, fmt.Sprintf(`{"limit":%d}`, limit))
}

// ask asks for a page until there is time for it. It may be called by any goroutine.
func ask(t *testing.T, p *program, token, resource, body string) (got answer) {
	t.Helper()
	p.HasTime(func() int {
		got = exchange(t, listRequest(p, token, resource, body))
		return got.status
	})
	return got
}

func listRequest(p *program, token, resource, body string) *http.Request {
	r, err := http.NewRequest(http.MethodPost, p.url+federation.Prefix+"list/"+resource, strings.NewReader(body))
	if err != nil {
		panic(err) // the test wrote the URL
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	return r
}

// exchange sends a request. It may be called by any goroutine.
func exchange(t *testing.T, r *http.Request) answer {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Errorf("%s is not answered: %v", r.URL, err)
		return answer{}
	}
	defer response.Body.Close()
	var body struct {
		Items      []map[string]any
		NextCursor string
		Error      struct{ Code string }
	}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		t.Errorf("the answer of %s is no JSON: %v", r.URL, err)
	}
	return answer{response.StatusCode, body.Items, body.NextCursor, body.Error.Code}
}
