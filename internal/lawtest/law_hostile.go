package lawtest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
)

// lawOfHostility is law 5: whatever a client sends, there is no 5xx, no
// statement for what is refused, and a bounded appetite for memory.
func lawOfHostility(t *testing.T, open Open) {
	run(t, open, []trial{
		{"as cursor", hostileCursors},
		{"as body", hostileBodies},
		{"as path and method", hostilePaths},
		{"as header", hostileHeaders},
		{"as a body without end", endlessBody},
	})
}

// hostileCursors spoils good cursors in every way. All refusals are one and the
// same: nothing tells a forged cursor from a foreign one.
func hostileCursors(t *testing.T, open Open) {
	for name, form := range map[string]cursor.Form{"sealed": cursor.Sealed, "signed": cursor.Signed} {
		t.Run(name, func(t *testing.T) {
			g, _, _ := estateGateway(t, open, fillTransaction, func(p *parts) { p.Cursors = codecOf(t, form) })
			r := newRandom(t)
			good := map[string]string{}
			for _, resource := range resources {
				_, good[resource] = g.list("grant-1", resource, ask(3, "")).page(t)
			}
			refusal := g.list("grant-1", "tasks", ask(0, "AAAA")).String()
			for range rounds(t, 1200) {
				resource := oneOf(r, resources)
				bad := spoiled(r, good, resource)
				var got reply
				n := g.db.meter.during(func() { got = g.list("grant-1", resource, ask(1+r.IntN(5), bad)) })
				if n != 0 || got.String() != refusal {
					t.Fatalf("the cursor %.200q of %d bytes on %s took %d statements and gave %v", bad, len(bad), resource, n, got)
				}
			}
			if !strings.HasPrefix(refusal, "400 ") {
				t.Errorf("bad cursors are answered by %s", refusal)
			}
		})
	}
}

// spoiled returns a cursor that is none for the resource. It is never empty.
func spoiled(r random, good map[string]string, resource string) string {
	token := good[resource]
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		panic(fmt.Sprintf("lawtest was given the cursor %q: %v", token, err))
	}
	switch r.IntN(10) {
	case 0:
		return token[:1+r.IntN(len(token)-1)]
	case 1:
		return token + token[:1+r.IntN(len(token))]
	case 2:
		others := slices.DeleteFunc(slices.Clone(resources), func(n string) bool { return n == resource })
		return good[oneOf(r, others)]
	case 3:
		return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"createdAt":"2026-06-24T03:00:00.%03dZ","id":"%s"}`, r.IntN(1000), r.uuid()))
	case 4:
		return strings.Repeat(oneOf(r, []string{"A", token, "ü", "\x00", "="}), 1+r.IntN(20)) + oneOf(r, []string{"=", "+", "/", "\n", " ", "ü"})
	case 5:
		i := r.IntN(len(token))
		return token[:i] + oneOf(r, []string{"\r\n", "\n", " ", "=", "\t", "%", "+", "/"}) + token[i:]
	case 6:
		noise := make([]byte, 1+r.IntN(200))
		for i := range noise {
			noise[i] = byte(r.Uint32())
		}
		return base64.RawURLEncoding.EncodeToString(noise)
	case 7:
		return strings.Repeat("A", 4000+r.IntN(3000))
	}
	bad := mutate(r, raw)
	if bytes.Equal(bad, raw) {
		bad = append(bad, 0)
	}
	return base64.RawURLEncoding.EncodeToString(bad)
}

// hostileBodies are no list requests, though each of them is taken for one by
// some JSON parser or other.
func hostileBodies(t *testing.T, open Open) {
	g, _, _ := estateGateway(t, open, fillTransaction)
	r := newRandom(t)
	bodies := []string{
		`{`, `}`, `[]`, `null`, `0`, `""`, `true`, `{}{}`, `{} x`, `{"limit":1,}`, `{"limit":1 "cursor":"x"}`, `{'limit':1}`,
		`{"limit":1,"limit":2}`, `{"limit":5,"cursor":"a","cursor":"b"}`, `{"Limit":5}`, `{"LIMIT":5}`, `{"lımit":5}`, `{"cur\u017for":"x"}`,
		`{"limit":5,"offset":3}`, `{"resource":"notes"}`, `{"limit":5,"team":"x"}`, `{"\u006cimit":5,"limit":6}`,
		"{\"limit\":5}\x00", "\xef\xbb\xbf{}", "{\"cursor\":\"\xff\"}", `{"cursor":"\ud800"}`, `{"cursor":"\udc00\ud800"}`, `{"limit":05}`, `{"limit":.5}`,
		`{"limit":NaN}`, `{"limit":Infinity}`, `{"limit":0x10}`, `{"limit":1_0}`, `// {}`, `{/**/}`, "{\"limit\":\u00a05}", "\x00", "\xff\xfe{\x00}\x00",
		strings.Repeat("[", 8000), strings.Repeat(`{"limit":`, 900), `{"cursor":` + strings.Repeat("[", 4000), `"` + strings.Repeat("a", 8000),
		`{"limit":` + strings.Repeat("9", 8000) + `}`, `{"limit":1` + strings.Repeat("0", 7000) + `}`, `{"limit":0.` + strings.Repeat("0", 7000) + `1}`,
	}
	for _, limit := range badLimitTexts {
		bodies = append(bodies, `{"limit":`+limit+`}`)
	}
	for range rounds(t, 400) {
		bodies = append(bodies, string(mutate(r, []byte(`{"limit": 5, "cursor": "`+r.uuid()+`"}`))))
	}
	for _, body := range bodies {
		var got reply
		n := g.db.meter.during(func() { got = g.list("grant-1", "tasks", body) })
		if got.status != http.StatusBadRequest || n != 0 {
			t.Errorf("the body %.200q took %d statements and gave %v", body, n, got)
		}
		if len(got.body) > 1024 {
			t.Errorf("the body %.200q is answered by %d bytes", body, len(got.body))
		}
	}
	g.list("grant-1", "tasks", "{}"+strings.Repeat(" ", 9000)).refused(t, "a body of 9000 bytes", http.StatusRequestEntityTooLarge, "invalid_request")
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx", "", ";", "application/json; charset=\xff"} {
		n := g.db.meter.during(func() {
			path := federation.Prefix + "list/tasks"
			got := g.send(http.MethodPost, path, "{}", "Authorization", "Bearer grant-1", "Content-Type", kind)
			got.refused(t, fmt.Sprintf("a body of type %q", kind), http.StatusUnsupportedMediaType, "invalid_request")
		})
		if n != 0 {
			t.Errorf("a body of type %q took %d statements", kind, n)
		}
	}
}

// hostilePaths asks for what is not there. A path that happens to be good would
// be a page; none of these is.
func hostilePaths(t *testing.T, open Open) {
	g, _, _ := estateGateway(t, open, fillTransaction)
	r := newRandom(t)
	paths := []string{
		"", "/", "*", "//", "/api", "/api/federation/v1", "/api/federation/v1/", "/api/federation/v1/list", "/api/federation/v1/list/",
		"/api/federation/v1/list//tasks", "/api/federation/v1//list/tasks", "/api/federation/v1/list/tasks/", "/api/federation/v1/list/tasks/x",
		"/api/federation/v1/list/../list/tasks", "/api/federation/v1/list/./tasks", "/api/federation/v1/list/..", "/api/federation/v1/LIST/tasks",
		"/api/federation/v2/list/tasks", "/API/federation/v1/list/tasks", "/api/federation/v1/capabilities/", "/api/federation/v1/get/tasks",
		"api/federation/v1/list/tasks", "/api/federation/v1/list/tasks;x", "/api/federation/v1/list/tasks,notes", "/api/federation/v1/list/*",
		"/x/api/federation/v1/list/tasks", "http://other/api/federation/v1/list/tasks", "/api/federation/v1/list/" + strings.Repeat("a", 100_000),
	}
	for _, name := range []string{
		"Tasks", "TASKS", "tasks%00", "tasks%20", "%20tasks", "tasks%2f", "%2e%2e", "%2e%2e%2ftasks", "tasks%0d%0aX: y", "ta%73ks%ff", "nonsense",
		"mission_tasks", "users", "tasks'--", "tasks\"", "täsks", "tasks\u200b", "ｔasks", "credentials ", "1", "-", "_", "\x7f",
	} {
		paths = append(paths, federation.Prefix+"list/"+name)
	}
	for range rounds(t, 200) {
		good := federation.Prefix + "list/tasks"
		if bad := string(mutate(r, []byte(good))); bad != good {
			paths = append(paths, bad)
		}
	}
	for _, path := range paths {
		for _, method := range []string{"POST", "GET", "OPTIONS"} {
			var got reply
			n := g.db.meter.during(func() { got = g.send(method, path, "", "Authorization", "Bearer grant-1") })
			if got.status < 400 || got.status > 499 || n != 0 {
				t.Errorf("%s %.200q took %d statements and gave %v", method, path, n, got)
			}
		}
	}
}

// hostileHeaders spoils credentials, ids and preferences.
func hostileHeaders(t *testing.T, open Open) {
	g, _, _ := estateGateway(t, open, fillTransaction)
	path := federation.Prefix + "list/tasks"
	long := strings.Repeat("x", 100_000)
	for _, auth := range []string{"Bearer", "Bearer ", "Bearer " + long, "Bearer grant-1 ", "Bearer grant-1,grant-1", "bearer grant-1", "\x00", "Bearer \xff"} {
		var got reply
		n := g.db.meter.during(func() { got = g.send(http.MethodPost, path, "", "Authorization", auth) })
		if (got.status != http.StatusUnauthorized && got.status != http.StatusForbidden) || n != 0 {
			t.Errorf("the credential %.100q took %d statements and gave %v", auth, n, got)
		}
	}
	for _, id := range []string{"", " ", "a b", "a\r\nSet-Cookie: b", "a\x00", "ü", long, strings.Repeat("x", 129)} {
		got := g.send(http.MethodPost, path, "", "Authorization", "Bearer grant-1", "X-Request-Id", id)
		if echoed := got.header.Get("X-Request-Id"); got.status != http.StatusOK || echoed == "" || echoed == id || len(echoed) > 128 {
			t.Errorf("the request id %.100q is answered by %d with the id %.100q", id, got.status, echoed)
		}
	}
	if got := g.send(http.MethodPost, path, "", "Authorization", "Bearer grant-1", "X-Request-Id", "peer-7.3"); got.header.Get("X-Request-Id") != "peer-7.3" {
		t.Errorf("the request id peer-7.3 is answered by %q", got.header.Get("X-Request-Id"))
	}
	for _, accept := range []string{"", "*/*", "text/html", "application/problem+json;q=x", ",,,", long, "application/problem+json;q=0", "\xff"} {
		got := g.send(http.MethodPost, path, `{"limit":0}`, "Authorization", "Bearer grant-1", "Accept", accept)
		got.refused(t, fmt.Sprintf("a bad limit with the preference %.100q", accept), http.StatusBadRequest, "invalid_request")
	}
	got := g.send(http.MethodPost, path, `{"limit":0}`, "Authorization", "Bearer grant-1", "Accept", "application/problem+json")
	if kind := got.header.Get("Content-Type"); got.status != http.StatusBadRequest || kind != "application/problem+json" {
		t.Errorf("asked for a problem, the handler answers %d with %q", got.status, kind)
	}
}

// endless yields spaces for ever and counts how many were taken.
type endless struct{ taken int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.taken += int64(len(p))
	return len(p), nil
}

// endlessBody sends a body that never ends, with and without a length, true or
// not. The handler must stop soon after its limit of 8 KiB.
func endlessBody(t *testing.T, open Open) {
	g, _, _ := estateGateway(t, open, fillTransaction)
	for _, length := range []int64{-1, 0, 10, 1 << 40} {
		body := new(endless)
		r := httptest.NewRequest(http.MethodPost, federation.Prefix+"list/tasks", io.NopCloser(body))
		r.ContentLength = length
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer grant-1")
		w := httptest.NewRecorder()
		n := g.db.meter.during(func() { g.handler.ServeHTTP(w, r) })
		refused := w.Code == http.StatusRequestEntityTooLarge || w.Code == http.StatusBadRequest
		if n != 0 && !(length == 0 && w.Code == http.StatusOK) || body.taken > 64<<10 || w.Code >= 500 {
			t.Errorf("an endless body of length %d: %d, %d statements, %d bytes read", length, w.Code, n, body.taken)
		}
		if length != 0 && !refused {
			t.Errorf("an endless body of length %d is answered by %d", length, w.Code)
		}
	}
}
