package federationtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// fanOutCases say what a list over several gateways is. Which peers a gateway has is
// known of Gateway.Peers alone: with none, its own rows are the merged list.
var fanOutCases = []testCase{
	{301, "the source local, and no source, are the gateway's own rows", (*probe).ownRows},
	{302, "the pages of all sources are one list in the order of the resource, each row once", (*probe).mergedRows},
	{303, "the source peer:NAME, or federated:NAME, is that peer's rows alone", (*probe).rowsOfOnePeer},
	{304, "a page says how each of its sources fared", (*probe).toldSources},
	{305, "a source that is none is 400", (*probe).badSources},
	{306, "a cursor is for the source that it was made for", (*probe).cursorsOfSources},
	{307, "a request that another gateway makes for somebody asks for no source but this one", (*probe).loops},
	{308, "a grant is refused by all sources as it is by one", (*probe).refusedSources},
}

// sourced is the body of a list request for a source.
func sourced(source string, limit int, cursor string) string {
	name, err := json.Marshal(source)
	if err != nil {
		panic(err) // it is a string
	}
	body := strings.TrimSuffix(ask(limit, cursor), "}")
	if body != "{" {
		body += ","
	}
	return body + `"source":` + string(name) + "}"
}

// A fanned page is a page of several sources.
type fanned struct {
	page
	Partial bool           `json:"_partial"`
	Sources []fannedSource `json:"_sources"`
}

type fannedSource struct{ Name, State, Code string }

// walkSource lists a resource of a source to its end.
func (p *probe) walkSource(grant, resource, source string, limit, most int) []map[string]any {
	var all []map[string]any
	cursor := ""
	for range most + 5 {
		a := p.list(grant, resource, sourced(source, limit, cursor))
		var got fanned
		if err := unmarshal(a, &got); err != nil {
			p.fatalf("%v is no page: %v", a, err)
		}
		if len(got.Items) > limit || got.Partial {
			p.failf("%v has %d rows, and the limit is %d; it is partial: %t", a, len(got.Items), limit, got.Partial)
		}
		all = append(all, got.Items...)
		if cursor = got.NextCursor; cursor == "" {
			return all
		}
	}
	p.fatalf("%s of %s has no end", resource, source)
	return nil
}

func (p *probe) ownRows() {
	for _, resource := range resources {
		due := p.shown("conf-all", resource)
		p.rows(resource+" of local", p.walkSource("conf-all", resource, "local", 7, len(due)), due)
	}
}

// merged is what all sources list together: in the order of the resource, and where rows
// of two sources have the same place, local first and then the peers by name.
func (p *probe) merged(grant, resource string) (due []row, sources []string) {
	type placed struct {
		row
		source string
	}
	var all []placed
	names := slices.Sorted(slices.Values(p.gateway.Peers))
	for _, r := range p.shown(grant, resource) {
		all = append(all, placed{r, "local"})
		for _, name := range names {
			all = append(all, placed{r, "peer:" + name})
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.block, b.block), b.at.Compare(a.at), strings.Compare(b.id, a.id))
	})
	for _, r := range all {
		due, sources = append(due, r.row), append(sources, r.source)
	}
	return due, sources
}

func (p *probe) mergedRows() {
	for _, grant := range []string{"conf-all", "conf-red", "conf-personal", "conf-nothing", "conf-bob"} {
		for _, resource := range resources {
			due, sources := p.merged(grant, resource)
			for _, limit := range []int{3, 50} {
				what := fmt.Sprintf("%s of all by %d for %s", resource, limit, grant)
				got := p.walkSource(grant, resource, "all", limit, len(due))
				p.rows(what, got, due)
				for i, item := range got {
					if item["_source"] != sources[i] {
						p.failf("%s: row %d is of %v, and should be of %s", what, i, item["_source"], sources[i])
					}
				}
			}
		}
	}
}

func (p *probe) rowsOfOnePeer() {
	for _, name := range p.gateway.Peers {
		for _, prefix := range []string{"peer:", "federated:"} {
			due := p.shown("conf-all", "tasks")
			got := p.walkSource("conf-all", "tasks", prefix+name, 10, len(due))
			p.rows("tasks of "+prefix+name, got, due)
			for _, item := range got {
				if item["_source"] != "peer:"+name {
					p.failf("the row %v of peer:%s is of %v", item["id"], name, item["_source"])
				}
			}
		}
	}
}

func (p *probe) toldSources() {
	a := p.list("conf-all", "tasks", sourced("all", 2, ""))
	var got fanned
	if err := unmarshal(a, &got); err != nil {
		p.fatalf("%v is no page: %v", a, err)
	}
	want := []string{"local"}
	for _, name := range p.gateway.Peers {
		want = append(want, "peer:"+name)
	}
	var names []string
	for _, s := range got.Sources {
		names = append(names, s.Name)
		if s.State != "ok" && s.State != "exhausted" || s.Code != "" {
			p.failf("%v has the source %+v", a, s)
		}
	}
	if !sameNames(names, want) {
		p.failf("%v has the sources %v, and should have %v", a, names, want)
	}
}

func (p *probe) badSources() {
	for _, source := range []string{`""`, `null`, `1`, `[]`, `"x"`, `"LOCAL"`, `"Peer:x"`, `"peer:"`, `"peer:nobody-has-this-name"`, `"peer:../x"`, `"peer:a b"`, `"all "`} {
		p.want(p.list("conf-all", "tasks", `{"source":`+source+`}`), http.StatusBadRequest, "invalid_request")
	}
}

func (p *probe) cursorsOfSources() {
	var got fanned
	a := p.list("conf-all", "tasks", sourced("all", 2, ""))
	if err := unmarshal(a, &got); err != nil || got.NextCursor == "" {
		p.fatalf("%v offers no next page: %v", a, err)
	}
	own := p.firstCursor("conf-all", "tasks")
	p.want(p.list("conf-all", "tasks", ask(2, got.NextCursor)), http.StatusBadRequest, "invalid_request")
	p.want(p.list("conf-all", "tasks", sourced("all", 2, own)), http.StatusBadRequest, "invalid_request")
	p.want(p.list("conf-twin", "tasks", sourced("all", 2, got.NextCursor)), http.StatusBadRequest, "invalid_request")
	p.want(p.list("conf-all", "notes", sourced("all", 2, got.NextCursor)), http.StatusBadRequest, "invalid_request")
	for i := 0; i < len(got.NextCursor); i += max(1, len(got.NextCursor)/20) {
		with := "A"
		if got.NextCursor[i] == 'A' {
			with = "Q"
		}
		p.want(p.list("conf-all", "tasks", sourced("all", 2, got.NextCursor[:i]+with+got.NextCursor[i+1:])), http.StatusBadRequest, "invalid_request")
	}
}

func (p *probe) loops() {
	hop := map[string]string{"X-Federation-Hop": "1"}
	p.want(p.send(request{grant: "conf-all", path: "list/tasks", body: sourced("all", 2, ""), header: hop}), http.StatusBadRequest, "invalid_request")
	p.want(p.send(request{grant: "conf-all", path: "list/tasks", body: ask(2, ""), header: hop}), http.StatusOK, "")
}

func (p *probe) refusedSources() {
	for _, c := range []struct{ grant, resource string }{{"conf-revoked", "tasks"}, {"conf-excluded", "notes"}, {"conf-excluded", "memory"}} {
		p.same("a refusal of one source and of all", p.list(c.grant, c.resource, "{}"), p.list(c.grant, c.resource, sourced("all", 2, "")))
	}
}
