package federationtest

import (
	"encoding/json"
	"net/http"
	"strings"
)

// wireCases say what every answer has. The other cases hold all of theirs to the
// contract, too.
var wireCases = []testCase{
	{160, "no answer may be cached, and none is sniffed", (*probe).noStore},
	{161, "the request id comes back if it is one, and is made if not", (*probe).requestIDs},
	{162, "an error is problem details to who asks for them, with the same code", (*probe).problems7807},
	{163, "times are RFC 3339 in UTC, exact to the microsecond", (*probe).exactTimes},
	{164, "every row has the source local", (*probe).localSources},
}

func decode(text []byte, into any) error { return json.Unmarshal(text, into) }

// kinds are answers of each kind that a case can bring about.
func (p *probe) kinds() []answer {
	return []answer{
		p.list("conf-all", "tasks", ""), p.list("conf-nothing", "tasks", ""), p.list("conf-all", "tasks", "x"), p.list("conf-revoked", "tasks", ""),
		p.list("conf-excluded", "notes", ""), p.send(request{grant: "conf-all", path: "nothing"}), p.send(request{grant: "conf-all", method: http.MethodGet, path: "list/tasks"}),
		p.send(request{grant: "conf-all", method: http.MethodGet, path: "capabilities"}),
	}
}

func (p *probe) noStore() {
	for _, a := range p.kinds() {
		if got := a.header.Get("Cache-Control"); got != "no-store" {
			p.failf("%v has Cache-Control: %s", a, got)
		}
		if got := a.header.Get("X-Content-Type-Options"); got != "nosniff" {
			p.failf("%v has X-Content-Type-Options: %s", a, got)
		}
		if a.header.Get("ETag")+a.header.Get("Last-Modified")+a.header.Get("Expires") != "" {
			p.failf("%v has what caches go by", a)
		}
	}
}

func (p *probe) requestIDs() {
	seen := map[string]bool{}
	for _, sent := range []string{"", strings.Repeat("x", 129), "two words", "é"} {
		a := p.send(request{grant: "conf-all", path: "list/tasks", header: map[string]string{"X-Request-Id": sent}})
		got := a.header.Get("X-Request-Id")
		if got == "" || got == sent || seen[got] {
			p.failf("%v has the request id %q where %.20q was sent", a, got, sent)
		}
		seen[got] = true
	}
	for _, sent := range []string{"x", strings.Repeat("y", 128), "!~"} {
		p.send(request{grant: "conf-all", path: "list/tasks", header: map[string]string{"X-Request-Id": sent}}) // see judge
	}
}

func (p *probe) problems7807() {
	for _, r := range []request{
		{grant: "conf-revoked", path: "list/tasks"}, {grant: "conf-excluded", path: "list/notes"}, {grant: "conf-all", path: "list/tasks", body: "x"}, {grant: "conf-all", path: "nothing"},
	} {
		plain := p.send(r)
		for accept, due := range map[string]string{
			"application/problem+json":                         "application/problem+json",
			"application/json;q=0.5, application/problem+json": "application/problem+json",
			"application/json, application/problem+json;q=0.5": "application/json",
			"application/problem+json;q=0":                     "application/json",
			"*/*":                                              "application/json",
		} {
			r.header = map[string]string{"Accept": accept}
			a := p.send(r)
			if got := a.header.Get("Content-Type"); got != due || a.status != plain.status || a.code() != plain.code() {
				p.failf("%v is %s to who accepts %s; else it is %v", a, got, accept, plain)
			}
		}
	}
}

func (p *probe) exactTimes() {
	for _, resource := range resources {
		got := p.walk("conf-all", resource, 50)
		p.rows("the times of "+resource, got, p.shown("conf-all", resource)) // as instants
		for _, item := range got {
			for _, member := range []string{"createdAt", "updatedAt"} {
				if text, _ := item[member].(string); !strings.HasSuffix(text, "Z") {
					p.failf("%s of the row %v of %s is %v, which is not in UTC", member, item["id"], resource, item[member])
				}
			}
		}
	}
}

func (p *probe) localSources() {
	for _, resource := range resources {
		for _, item := range p.walk("conf-all", resource, 10) {
			if item["_source"] != "local" {
				p.failf("the row %v of %s has the source %v", item["id"], resource, item["_source"])
			}
		}
	}
}
