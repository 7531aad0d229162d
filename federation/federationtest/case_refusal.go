package federationtest

import (
	"maps"
	"net/http"
	"slices"
)

// refusalCases say who is refused, and what may not be told apart.
var refusalCases = []testCase{
	{140, "grants that are pending, revoked and expired are the same 403 forbidden", func(p *probe) { p.inBothForms(p.endedGrants) }},
	{141, "without a credential it is 401, and with a wrong one 401 or 403", (*probe).strangers},
	{142, "resources that are excluded, not granted and denied are the same 403 scope_violation", func(p *probe) { p.inBothForms(p.deniedResources) }},
	{143, "a resource that nobody knows is 400", (*probe).unknownResources},
	{144, "what is decided first is the answer", (*probe).order},
	{145, "capabilities are those of the grant", (*probe).toldCapabilities},
	{146, "capabilities are true", (*probe).trueCapabilities},
	{147, "the documents of the contract, where they are offered, are for who has a grant", (*probe).documents},
}

var ended = []string{"conf-pending", "conf-revoked", "conf-expired"}

func (p *probe) endedGrants() {
	for _, path := range []string{"list/tasks", "list/credentials", "list/nothing", "capabilities"} {
		method := http.MethodPost
		if path == "capabilities" {
			method = http.MethodGet
		}
		first := p.send(request{grant: ended[0], method: method, path: path})
		p.want(first, http.StatusForbidden, "forbidden")
		for _, grant := range ended[1:] {
			p.same("grants that are not good", first, p.send(request{grant: grant, method: method, path: path}))
		}
	}
}

// A gateway that asks for a certificate may refuse the connection.
func (p *probe) strangers() {
	requests := []request{
		{path: "list/tasks"}, {path: "list/invoices"}, {path: "list/tasks", body: ask(2, p.firstCursor("conf-all", "tasks"))},
		{path: "capabilities", method: http.MethodGet},
	}
	if slices.Contains(p.capabilities("conf-all").Verbs, "get") {
		requests = append(requests, request{path: "get/tasks/" + p.shown("conf-all", "tasks")[0].id})
	}
	for grant, statuses := range map[string][]int{"": {401}, "conf-nobody": {401, 403}} {
		for _, r := range requests {
			r.grant = grant
			a, err := p.try(r)
			if err != nil {
				continue
			}
			p.judge(a)
			if !slices.Contains(statuses, a.status) {
				p.failf("%v came, where %v was due", a, statuses)
			}
		}
	}
}

func (p *probe) deniedResources() {
	excluded := p.list("conf-excluded", "notes", "{}")
	p.want(excluded, http.StatusForbidden, "scope_violation")
	p.same("excluded and not granted", excluded, p.list("conf-excluded", "memory", "{}"))
	p.same("excluded and denied", excluded, p.list("conf-excluded", "credentials", "{}"))
	p.same("excluded and known, but never granted", excluded, p.list("conf-all", "api_keys", "{}"))
}

func (p *probe) unknownResources() {
	for _, grant := range []string{"conf-all", "conf-excluded"} {
		p.want(p.list(grant, "invoices", "{}"), http.StatusBadRequest, "invalid_request")
	}
}

// The decision table, as far as a peer sees it.
func (p *probe) order() {
	for _, c := range []struct {
		grant, resource, body string
		status                int
		code                  string
	}{
		{"conf-revoked", "tasks", `{"x":1}`, 400, "invalid_request"}, // transport before the grant
		{"conf-revoked", "invoices", `{}`, 403, "forbidden"},         // the grant before the resource
		{"conf-revoked", "tasks", `{"limit":0}`, 403, "forbidden"},   // and before the limit
		{"conf-excluded", "invoices", `{"limit":0}`, 400, "invalid_request"},
		{"conf-excluded", "notes", `{"limit":0}`, 403, "scope_violation"}, // exclusion before the limit
		{"conf-excluded", "notes", `{"cursor":""}`, 403, "scope_violation"},
		{"conf-excluded", "memory", `{"limit":0,"cursor":"x"}`, 403, "scope_violation"},
		{"conf-green", "tasks", `{"limit":0}`, 400, "invalid_request"}, // the limit before "nothing left"
		{"conf-green", "tasks", `{"cursor":"x"}`, 400, "invalid_request"},
	} {
		p.want(p.list(c.grant, c.resource, c.body), c.status, c.code)
	}
}

func (p *probe) toldCapabilities() {
	for _, grant := range slices.Concat(active, []string{"conf-excluded"}) {
		got, due := p.capabilities(grant), p.grant(grant).Scope
		if !sameNames(got.Resources, due.Resources) || !sameNames(got.Excluded, due.Excluded) || got.Cap != due.Cap {
			p.failf("the capabilities of %s are %+v, and should be %v without %v by %d", grant, got, due.Resources, due.Excluded, due.Cap)
		}
		if !slices.Contains(got.Verbs, "list") || !slices.Contains(got.Verbs, "capabilities") || !slices.Contains(got.Versions, "1") {
			p.failf("the capabilities of %s have the verbs %v of version %v", grant, got.Verbs, got.Versions)
		}
	}
}

// trueCapabilities holds a gateway to what it says of itself: a peer goes by it.
func (p *probe) trueCapabilities() {
	got := p.capabilities("conf-all")
	verb, feature := slices.Contains(got.Verbs, "get"), slices.Contains(got.Features, "get")
	if verb != feature || verb != (got.Limits.ID > 0) {
		p.failf("get is a verb: %t, a feature: %t, and has the limit %d", verb, feature, got.Limits.ID)
	}
	for _, resource := range resources {
		if cursor := p.firstCursor("conf-all", resource); len(cursor) > got.Limits.Cursor {
			p.failf("a cursor of %s has %d characters, and max_cursor_length is %d", resource, len(cursor), got.Limits.Cursor)
		}
	}
	for feature, due := range map[string]bool{"cursors": true, "problem_json": true} {
		if slices.Contains(got.Features, feature) != due {
			p.failf("the features are %v; %s is one of version 1: %t", got.Features, feature, due)
		}
	}
}

func (p *probe) documents() {
	offered := slices.Contains(p.capabilities("conf-all").Features, "contract")
	for _, path := range []string{"openapi.json", "grant-scope.v1.schema.json"} {
		get := func(grant string) answer { return p.send(request{grant: grant, method: http.MethodGet, path: path}) }
		if !offered {
			p.want(get("conf-all"), http.StatusNotFound, "not_found")
			continue
		}
		p.want(get("conf-all"), http.StatusOK, "")
		p.want(get("conf-revoked"), http.StatusForbidden, "forbidden")
	}
}

// sameNames compares without regard to the order.
func sameNames(a, b []string) bool {
	set := func(names []string) map[string]bool {
		all := map[string]bool{}
		for _, name := range names {
			all[name] = true
		}
		return all
	}
	return len(a) == len(b) && maps.Equal(set(a), set(b))
}
