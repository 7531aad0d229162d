package federationtest

import (
	"fmt"
	"net/http"
	"strings"
)

// getCases say what single rows are read.
var getCases = []testCase{
	{201, "each row that is listed can be read, and is the same", (*probe).gotRows},
	{202, "a row that does not show, one that is not there and an id that is none are the same 404", func(p *probe) { p.inBothForms(p.hiddenRows) }},
	{203, "who is refused a list is refused its rows, whether there are any or not", func(p *probe) { p.inBothForms(p.refusedRows) }},
	{204, "a body is no more than an empty object", (*probe).getBodies},
	{205, "a method other than POST is 405", (*probe).getMethods},
}

func (p *probe) gotRows() {
	for _, grant := range []string{"conf-all", "conf-red", "conf-bob"} {
		for _, resource := range resources {
			for i, due := range p.shown(grant, resource) {
				if i >= 12 && grant != "conf-all" {
					break
				}
				a := p.get(grant, resource, due.id)
				var read struct{ Item map[string]any }
				if err := unmarshal(a, &read); err != nil {
					p.failf("%v is not the row %s: %v", a, due.id, err)
					continue
				}
				p.row(a.String(), read.Item, due)
				if read.Item["_source"] != "local" {
					p.failf("%v has the source %v", a, read.Item["_source"])
				}
			}
		}
	}
}

const noRow = "00000000-0000-4000-8000-000000000000"

func (p *probe) hiddenRows() {
	for _, resource := range resources {
		missing := p.get("conf-all", resource, noRow)
		p.want(missing, http.StatusNotFound, "not_found")
		for _, id := range p.hidden("conf-all", resource) {
			p.same("a row that is not there and one that does not show", missing, p.get("conf-all", resource, id))
		}
		for _, id := range []string{"x", "1", "'", "a/b", strings.Repeat("0", 2000), "00000000000040008000000000000000", "\x00", "\xff", "{" + noRow + "}"} {
			p.same(fmt.Sprintf("a row that is not there and the id %.20q", id), missing, p.get("conf-all", resource, id))
		}
	}
	note, task := p.shown("conf-all", "notes")[0].id, p.shown("conf-all", "tasks")[0].id
	p.want(p.get("conf-all", "tasks", note), http.StatusNotFound, "not_found")
	p.want(p.get("conf-all", "notes", task), http.StatusNotFound, "not_found")
	for _, grant := range []string{"conf-red", "conf-green", "conf-nothing", "conf-personal"} {
		for _, resource := range resources {
			missing := p.get(grant, resource, noRow)
			p.want(missing, http.StatusNotFound, "not_found")
			for _, id := range p.hidden(grant, resource) {
				p.same("a row that is not there and one that does not show", missing, p.get(grant, resource, id))
			}
		}
	}
}

func (p *probe) refusedRows() {
	note := p.shown("conf-all", "notes")[0].id
	refused := p.get("conf-excluded", "notes", note)
	p.want(refused, http.StatusForbidden, "scope_violation")
	p.same("a row and none, of what is excluded", refused, p.get("conf-excluded", "notes", noRow))
	p.same("excluded and not granted", refused, p.get("conf-excluded", "memory", noRow))
	p.same("excluded and denied", refused, p.get("conf-excluded", "credentials", noRow))
	p.want(p.get("conf-all", "invoices", noRow), http.StatusBadRequest, "invalid_request")
	task := p.shown("conf-all", "tasks")[0].id
	first := p.get(ended[0], "tasks", task)
	p.want(first, http.StatusForbidden, "forbidden")
	for _, grant := range ended {
		p.same("grants that are not good", first, p.get(grant, "tasks", task))
		p.same("a row and none, to who has no grant", first, p.get(grant, "tasks", noRow))
	}
}

func (p *probe) getBodies() {
	path := "get/tasks/" + p.shown("conf-all", "tasks")[0].id
	for body, status := range map[string]int{
		"": 200, "{}": 200, " { } ": 200, `{"limit":1}`: 400, `{"x":1}`: 400, "[]": 400, "null": 400, "x": 400, "{}{}": 400,
	} {
		p.want(p.send(request{grant: "conf-all", path: path, body: body}), status, "")
	}
}

func (p *probe) getMethods() {
	path := "get/tasks/" + p.shown("conf-all", "tasks")[0].id
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		a := p.send(request{grant: "conf-all", method: method, path: path})
		p.want(a, http.StatusMethodNotAllowed, "invalid_request")
		if got := a.header.Get("Allow"); got != http.MethodPost {
			p.failf("%v allows %q", a, got)
		}
	}
}
