package federationtest

import (
	"fmt"
	"net/http"
	"strings"
)

// requestCases say what a request may be.
var requestCases = []testCase{
	{120, "a limit above the cap counts as the cap, and may be a number or its digits", (*probe).goodLimits},
	{121, "a limit that is no plain integer of 1 or more is 400", (*probe).badLimits},
	{122, "a body that is not one strict object is 400", (*probe).badBodies},
	{123, "an empty cursor, or one that is no text, is 400 and not the first page", (*probe).badCursors},
	{124, "a cursor with one character changed, or cut, is 400", (*probe).changedCursors},
	{125, "a cursor is for the grant, subject, resource and scope that it was made for", (*probe).foreignCursors},
	{126, "a body that is not application/json in UTF-8, or is compressed, is 415", (*probe).contentTypes},
	{127, "a body beyond max_body_bytes is 413, and one of that length is read", (*probe).longBodies},
	{128, "a method that a path does not have is 405 with Allow", (*probe).methods},
	{129, "a path that is none is 404, and no path ends in a failure", (*probe).paths},
}

func (p *probe) goodLimits() {
	for limit, due := range map[string]int{`1`: 1, `"1"`: 1, `3`: 3, `"3"`: 3, `4`: 4, `5`: 4, `"5"`: 4, `1000000`: 4, `9007199254740991`: 4, `"9007199254740991"`: 4} {
		a := p.list("conf-small", "tasks", `{"limit":`+limit+`}`)
		p.rows(a.String(), p.page(a).Items, p.shown("conf-small", "tasks")[:due])
	}
}

func (p *probe) badLimits() {
	for _, limit := range []string{
		`0`, `-1`, `-0`, `1.0`, `1.5`, `1e1`, `1E1`, `9007199254740992`, `1e999`, `null`, `true`, `[]`, `[1]`, `{}`,
		`""`, `"0"`, `"01"`, `"+5"`, `"-5"`, `" 5 "`, `"1e3"`, `"0x10"`, `"1_0"`, `"1.0"`, `"five"`, `"9007199254740992"`,
	} {
		p.want(p.list("conf-all", "tasks", `{"limit":`+limit+`}`), http.StatusBadRequest, "invalid_request")
	}
}

func (p *probe) badBodies() {
	for _, body := range []string{
		`{"limit":1,"page":1}`, `{"limit":1,"limit":1}`, `{"limit":1,"\u006cimit":1}`, `{"Limit":1}`, `{"CURSOR":"x"}`, `{"":1}`,
		`{"limit":1}{}`, `{"limit":1} x`, `[{"limit":1}]`, `null`, `1`, `"x"`, `{`, `{"limit":1,}`, `{limit:1}`, "{\"cursor\":\"\xff\"}", "\ufeff{}", `{"limit":01}`,
	} {
		p.want(p.list("conf-all", "tasks", body), http.StatusBadRequest, "invalid_request")
	}
}

func (p *probe) badCursors() {
	for _, cursor := range []string{
		`""`, `null`, `0`, `[]`, `{}`, `true`, `" "`, `"x"`, `"AAAA"`, `"eyJpZCI6IjEifQ"`, `"MjAyNi0wNi0yNFQwMzowMDowMFo"`, `"\u0000"`, `"é"`, `"' OR 1=1 --"`,
		`"` + strings.Repeat("A", 4097) + `"`,
	} {
		p.want(p.list("conf-all", "tasks", `{"cursor":`+cursor+`}`), http.StatusBadRequest, "invalid_request")
	}
}

// firstCursor is the cursor behind the first rows of a resource.
func (p *probe) firstCursor(grant, resource string) string {
	a := p.list(grant, resource, ask(2, ""))
	cursor := p.page(a).NextCursor
	if cursor == "" {
		p.fatalf("%v offers no next page", a)
	}
	return cursor
}

// maxChanged bounds the characters of a cursor that are changed, one at a time.
const maxChanged = 80

func (p *probe) changedCursors() {
	cursor := p.firstCursor("conf-all", "tasks")
	step := max(1, len(cursor)/maxChanged)
	for i := 0; i < len(cursor); i += step {
		with := byte('A')
		if cursor[i] == with {
			with = 'Q' // differs in bits that count, also at the end
		}
		p.want(p.list("conf-all", "tasks", ask(2, cursor[:i]+string(with)+cursor[i+1:])), http.StatusBadRequest, "invalid_request")
	}
	for _, other := range []string{cursor[:len(cursor)-1], cursor[1:], cursor + "A", cursor + "=", cursor + cursor, cursor + " ", strings.ToUpper(cursor)} {
		p.want(p.list("conf-all", "tasks", ask(2, other)), http.StatusBadRequest, "invalid_request")
	}
}

func (p *probe) foreignCursors() {
	cursor := p.firstCursor("conf-all", "tasks")
	for _, grant := range []string{"conf-twin", "conf-bob", "conf-red", "conf-small", "conf-personal"} {
		p.want(p.list(grant, "tasks", ask(2, cursor)), http.StatusBadRequest, "invalid_request")
	}
	for _, resource := range []string{"notes", "memory"} {
		p.want(p.list("conf-all", resource, ask(2, cursor)), http.StatusBadRequest, "invalid_request")
		p.want(p.list("conf-all", "tasks", ask(2, p.firstCursor("conf-all", resource))), http.StatusBadRequest, "invalid_request")
	}
}

func (p *probe) contentTypes() {
	for _, media := range []string{"text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "text/json", "", "application/json, text/plain"} {
		p.want(p.send(request{grant: "conf-all", path: "list/tasks", body: "{}", header: map[string]string{"Content-Type": media}}), http.StatusUnsupportedMediaType, "invalid_request")
	}
	p.want(p.send(request{grant: "conf-all", path: "list/tasks", body: "{}", header: map[string]string{"Content-Encoding": "gzip"}}), http.StatusUnsupportedMediaType, "invalid_request")
	for _, media := range []string{"application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8"} {
		p.want(p.send(request{grant: "conf-all", path: "list/tasks", body: "{}", header: map[string]string{"Content-Type": media}}), http.StatusOK, "")
	}
}

func (p *probe) longBodies() {
	most := p.capabilities("conf-all").Limits.Body
	if most < 2 || most > 1<<20 {
		p.fatalf("max_body_bytes is %d", most)
	}
	p.want(p.list("conf-all", "tasks", "{}"+strings.Repeat(" ", most-2)), http.StatusOK, "")
	p.want(p.list("conf-all", "tasks", "{}"+strings.Repeat(" ", most-1)), http.StatusRequestEntityTooLarge, "invalid_request")
}

func (p *probe) methods() {
	for path, allowed := range map[string]string{"list/tasks": http.MethodPost, "capabilities": http.MethodGet} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions} {
			if method == allowed {
				continue
			}
			a := p.send(request{grant: "conf-all", method: method, path: path})
			p.want(a, http.StatusMethodNotAllowed, "invalid_request")
			if got := a.header.Get("Allow"); got != allowed {
				p.failf("%v allows %q", a, got)
			}
		}
	}
}

func (p *probe) paths() {
	for _, path := range []string{"", "list", "list/", "lists/tasks", "tasks", "list/tasks/x/y", "Capabilities", "capabilities/x"} {
		p.want(p.send(request{grant: "conf-all", path: path}), http.StatusNotFound, "not_found")
	}
	for _, name := range []string{"%00", "%FF", "tasks%00", "tasks%3B", "%27%20OR%201=1--", strings.Repeat("a", 2000), "%F0%9F%98%80", "TASKS", "tasks%20", "__proto__"} {
		p.want(p.send(request{grant: "conf-all", path: "list/" + name}), http.StatusBadRequest, "invalid_request")
	}
}

// offered is what a gateway says of itself.
type offered struct {
	Resources []string
	Excluded  []string `json:"excluded_resources"`
	Cap       int      `json:"max_rows_per_query"`
	Verbs     []string `json:"supported_verbs"`
	Versions  []string `json:"protocol_versions"`
	Features  []string
	Limits    struct {
		Body   int `json:"max_body_bytes"`
		Cursor int `json:"max_cursor_length"`
		ID     int `json:"max_id_bytes"`
	}
}

func (p *probe) capabilities(grant string) offered {
	a := p.send(request{grant: grant, method: http.MethodGet, path: "capabilities"})
	var read offered
	if err := unmarshal(a, &read); err != nil {
		p.fatalf("%v are no capabilities: %v", a, err)
	}
	return read
}

// unmarshal reads the body of a 200.
func unmarshal(a answer, into any) error {
	if a.status != http.StatusOK {
		return fmt.Errorf("the status is %d", a.status)
	}
	return decode(a.body, into)
}
