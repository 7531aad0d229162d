package federationtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// active are the grants of the fixture that are good, by their tokens.
var active = []string{"conf-all", "conf-small", "conf-personal", "conf-red", "conf-red-and-personal", "conf-green", "conf-nothing", "conf-bob"}

// pageCases say what is listed.
var pageCases = []testCase{
	{101, "the first page, without a body, is as long as the grant allows", (*probe).firstPages},
	{102, "the pages of a list, one behind the other, are the list, by any limit", (*probe).pagesOfAnyLimit},
	{103, "rows that share a microsecond, or a millisecond, are each there once", (*probe).tiedRows},
	{104, "a grant shows what it and the access of its subject both allow, and nothing more", (*probe).exactRows},
	{105, "a grant for a team that its subject is not in shows nothing, and so does one for nobody's rows", (*probe).emptyLists},
	{106, "memory is for grants with personal rows", (*probe).personalMemory},
	{107, "the limit may change from page to page", (*probe).changingLimit},
	{108, "the same request gets the same rows", (*probe).repeatedRequest},
	{109, "memory lists insights, then preferences", (*probe).memoryBlocks},
	{110, "behind a cursor a page is no longer than the grant allows, whatever the limit is or without one", (*probe).cappedCursors},
}

func (p *probe) firstPages() {
	for _, grant := range active {
		limit := p.grant(grant).Scope.Cap
		for _, resource := range resources {
			for _, body := range []string{"", "{}"} {
				a := p.list(grant, resource, body)
				got, due := p.page(a), p.shown(grant, resource)
				p.rows(a.String(), got.Items, due[:min(limit, len(due))])
				if more := got.NextCursor != ""; more != (len(due) > limit) {
					p.failf("%v offers a next page: %t, of %d rows", a, more, len(due))
				}
			}
		}
	}
}

func (p *probe) pagesOfAnyLimit() {
	for _, resource := range resources {
		for _, limit := range []int{2, 3, 7, 16} {
			p.rows(fmt.Sprintf("%s by %d", resource, limit), p.walk("conf-all", resource, limit), p.shown("conf-all", resource))
		}
		p.rows(resource+" by the cap", p.walk("conf-small", resource, 4), p.shown("conf-small", resource))
	}
}

// By pages of one row, each row is a cursor once.
func (p *probe) tiedRows() {
	for _, resource := range resources {
		p.rows(resource+" by 1", p.walk("conf-all", resource, 1), p.shown("conf-all", resource))
	}
}

func (p *probe) exactRows() {
	for _, grant := range active {
		for _, resource := range resources {
			if limit := p.grant(grant).Scope.Cap; limit > 10 {
				p.rows(resource+" of "+grant, p.walk(grant, resource, limit), p.shown(grant, resource))
			}
		}
	}
}

func (p *probe) emptyLists() {
	for _, grant := range []string{"conf-green", "conf-nothing"} {
		for _, resource := range resources {
			a := p.list(grant, resource, "{}")
			if got := p.page(a); len(got.Items) > 0 || got.NextCursor != "" || got.Items == nil {
				p.failf("%v is not an empty page", a)
			}
		}
	}
}

func (p *probe) personalMemory() {
	p.rows("memory of conf-red", p.page(p.list("conf-red", "memory", "")).Items, nil)
	for _, grant := range []string{"conf-personal", "conf-red-and-personal"} {
		p.rows("memory of "+grant, p.page(p.list(grant, "memory", "")).Items, p.shown("conf-all", "memory"))
	}
}

func (p *probe) changingLimit() {
	for _, resource := range resources {
		var all []map[string]any
		cursor, limits := "", []int{1, 5, 2, 3}
		for i := range 100 {
			got := p.page(p.list("conf-all", resource, ask(limits[i%len(limits)], cursor)))
			all = append(all, got.Items...)
			if cursor = got.NextCursor; cursor == "" {
				break
			}
		}
		p.rows(resource+" by 1, 5, 2, 3 and so on", all, p.shown("conf-all", resource))
	}
}

func (p *probe) repeatedRequest() {
	first := p.page(p.list("conf-all", "tasks", ask(5, "")))
	again := p.list("conf-all", "tasks", ask(5, ""))
	p.rows(again.String(), p.page(again).Items, p.shown("conf-all", "tasks")[:5])
	for range 2 {
		a := p.list("conf-all", "tasks", ask(5, first.NextCursor))
		p.rows(a.String(), p.page(a).Items, p.shown("conf-all", "tasks")[5:10])
	}
}

func (p *probe) memoryBlocks() {
	var types []string
	for _, item := range p.walk("conf-all", "memory", 3) {
		types = append(types, fmt.Sprint(item["type"]))
	}
	if got := strings.Join(slices.Compact(types), " "); got != "insight preference" {
		p.failf("memory lists %s", got)
	}
}

func (p *probe) cappedCursors() {
	for _, resource := range resources {
		due := p.shown("conf-small", resource)[2:6]
		cursor, err := json.Marshal(p.firstCursor("conf-small", resource))
		if err != nil {
			panic(err) // it is a string
		}
		for _, body := range []string{`{"cursor":%s}`, `{"cursor":%s,"limit":5}`, `{"limit":1000000,"cursor":%s}`, `{"limit":"1000000","cursor":%s}`} {
			a := p.list("conf-small", resource, fmt.Sprintf(body, cursor))
			p.rows(a.String(), p.page(a).Items, due)
		}
	}
}
