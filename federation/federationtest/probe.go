package federationtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mosaicstack/fedkit/internal/openapi"
)

const prefix = "/api/federation/v1/"

// patience is how long one answer may take.
const patience = 30 * time.Second

// maxAnswer is the longest body that is read of an answer.
const maxAnswer = 16 << 20

var described = openapi.Contract()

// A probe is one case at one gateway. What it finds wrong it keeps, up to a point.
type probe struct {
	fixture
	ctx      context.Context
	gateway  Gateway
	accept   string // of requests that do not say it themselves
	requests int
	problems []string
}

// stop ends a case in which nothing more can be said.
type stop struct{}

// maxProblems is how many problems of one case are told.
const maxProblems = 10

func (p *probe) failf(format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
	if len(p.problems) >= maxProblems {
		panic(stop{})
	}
}

func (p *probe) fatalf(format string, args ...any) {
	p.failf(format, args...)
	panic(stop{})
}

// A request is what a case asks.
type request struct {
	grant  string // its token in the fixture; "": without a credential
	method string // defaults to POST
	path   string // escaped, behind the prefix
	body   string // JSON, unless the header says otherwise
	header map[string]string
}

// An answer is what came back.
type answer struct {
	request
	status int
	header http.Header
	body   []byte
}

func (a answer) String() string {
	return fmt.Sprintf("%s %s by %q with %.200q: %d %.300s", a.method, a.path, a.grant, a.request.body, a.status, a.body)
}

func (p *probe) list(grant, resource, body string) answer {
	return p.send(request{grant: grant, path: "list/" + resource, body: body})
}

func (p *probe) get(grant, resource, id string) answer {
	return p.send(request{grant: grant, path: "get/" + resource + "/" + url.PathEscape(id)})
}

// send asks the gateway, and holds the answer to what counts for every one.
func (p *probe) send(r request) answer {
	a, err := p.try(r)
	if err != nil {
		p.fatalf("%s %s: %v", a.method, r.path, err)
	}
	p.judge(a)
	return a
}

// try asks the gateway.
func (p *probe) try(r request) (answer, error) {
	r.method = orDefault(r.method, http.MethodPost)
	a := answer{request: r}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	sent, err := http.NewRequestWithContext(ctx, r.method, strings.TrimSuffix(p.gateway.URL, "/")+prefix+r.path, strings.NewReader(r.body))
	if err != nil {
		return a, err
	}
	if r.body != "" {
		sent.Header.Set("Content-Type", "application/json")
	}
	if p.accept != "" {
		sent.Header.Set("Accept", p.accept)
	}
	p.requests++
	sent.Header.Set("X-Request-Id", "federationtest-"+strconv.Itoa(p.requests))
	for name, value := range r.header {
		sent.Header.Set(name, value)
		if value == "" {
			sent.Header.Del(name)
		}
	}
	a.request.header = map[string]string{"X-Request-Id": sent.Header.Get("X-Request-Id")}
	response, err := p.gateway.Do(sent, r.grant)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	a.status, a.header = response.StatusCode, response.Header
	a.body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return a, err
}

func orDefault(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// judge holds an answer to what counts for every one.
func (p *probe) judge(a answer) {
	path, err := url.PathUnescape(prefix + a.path)
	if err != nil {
		path = prefix + a.path
	}
	seen := openapi.Answer{Method: a.method, Path: path, Status: a.status, Header: a.header, Body: a.body}
	if err := described.Check(seen, false); err != nil {
		p.failf("%v is not in the contract: %v", a, err)
	}
	if err := described.CheckRows(seen); err != nil {
		p.failf("%v is not in the contract: %v", a, err)
	}
	if a.status >= 500 {
		p.failf("%v is a failure of the gateway", a)
	}
	if sent, got := a.request.header["X-Request-Id"], a.header.Get("X-Request-Id"); isRequestID(sent) && got != sent {
		p.failf("%v has the request id %q, not %q", a, got, sent)
	}
	p.judgeSecrets(a)
}

// judgeSecrets looks for what must not be on the wire.
func (p *probe) judgeSecrets(a answer) {
	var wire bytes.Buffer
	a.header.Write(&wire)
	wire.Write(a.body)
	secrets := p.secrets()
	if a.grant != "conf-bob" { // the canaries are bob's rows, among others
		secrets = append(secrets, "canary")
	}
	text := strings.ToLower(wire.String())
	for _, secret := range secrets {
		if strings.Contains(text, strings.ToLower(secret)) {
			p.failf("%v has %q in it, which must not be on the wire", a, secret)
			return
		}
	}
}

// isRequestID tells if an id is one that comes back.
func isRequestID(id string) bool {
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return false
		}
	}
	return id != "" && len(id) <= 128
}

// want holds an answer to a status, and an error to its code.
func (p *probe) want(a answer, status int, code string) {
	if a.status != status || code != "" && a.code() != code {
		p.failf("%v came, where %d %s was due", a, status, code)
	}
}

// inBothForms runs checks of errors twice: what must not be told apart must not be in
// problem details either.
func (p *probe) inBothForms(check func()) {
	check()
	p.accept = "application/problem+json"
	check()
	p.accept = ""
}

// code returns the code of an error, in either form.
func (a answer) code() string {
	var either struct {
		Error struct{ Code string }
		Code  string
	}
	if json.Unmarshal(a.body, &either) != nil {
		return ""
	}
	return either.Error.Code + either.Code
}

// wire is all that differs between two answers which are not the same.
func (a answer) wire() string {
	var text strings.Builder
	fmt.Fprintln(&text, a.status)
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		if name != "Date" && name != "X-Request-Id" {
			fmt.Fprintf(&text, "%s: %q\n", name, a.header[name])
		}
	}
	text.Write(a.body)
	return text.String()
}

// same holds two answers to be equal byte by byte, headers included.
func (p *probe) same(what string, a, b answer) {
	if a.wire() != b.wire() {
		p.failf("%s can be told apart:\n%v\n%s\n%v\n%s", what, a, a.wire(), b, b.wire())
	}
}
