package federation

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

// countingBody is a body of spaces that knows how much of it was read.
type countingBody struct {
	left, read int
}

func (b *countingBody) Read(p []byte) (int, error) {
	n := min(len(p), b.left)
	if n == 0 {
		return 0, io.EOF
	}
	for i := range n {
		p[i] = ' '
	}
	b.left -= n
	b.read += n
	return n, nil
}

func (b *countingBody) Close() error { return nil }

func TestALongBodyIsRefusedWithoutReadingIt(t *testing.T) {
	for name, test := range map[string]struct {
		length, announced int64
		mostRead          int
	}{
		"announced":         {10 << 20, 10 << 20, 0},
		"chunked":           {10 << 20, -1, maxBody + 1},
		"announced short":   {10 << 20, 100, maxBody + 1}, // not possible through net/http
		"one byte too long": {maxBody + 1, maxBody + 1, 0},
	} {
		h := newHost(t)
		body := &countingBody{left: int(test.length)}
		r := newPost(Prefix+"list/tasks", "")
		r.Header.Set("Content-Type", "application/json")
		r.Body, r.ContentLength = body, test.announced
		got := h.serve(t, r)
		if got.Code != http.StatusRequestEntityTooLarge || mustError(t, got) != "invalid_request" {
			t.Errorf("%s: the answer is %d %s", name, got.Code, got.Body)
		}
		if body.read > test.mostRead {
			t.Errorf("%s: %d bytes were read where %d are enough", name, body.read, test.mostRead)
		}
	}
}

func TestABodyOfExactlyTheLimitIsRead(t *testing.T) {
	body := `{"limit":1}`
	body += strings.Repeat(" ", maxBody-len(body))
	if got := newHost(t).post(t, "tasks", body); got.Code != http.StatusOK {
		t.Errorf("a body of %d bytes is answered with %d %s", len(body), got.Code, got.Body)
	}
}

// A host may have put a smaller limit in front.
func TestABodyThatAMiddlewareLimitsIsTooLarge(t *testing.T) {
	h := newHost(t)
	handler := http.MaxBytesHandler(h.serving(t), 4)
	recorder := newRecorder()
	handler.ServeHTTP(recorder, newPost(Prefix+"list/tasks", `{"limit":1}`))
	if recorder.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("the answer is %d %s", recorder.Code, recorder.Body)
	}
}

func TestABodyIsRefusedUnlessItIsJSONInUTF8(t *testing.T) {
	for media, want := range map[string]int{
		"application/json":                         200,
		"Application/JSON":                         200,
		"application/json; charset=utf-8":          200,
		"application/json;charset=\"UTF-8\"":       200,
		"":                                         415,
		"text/json":                                415,
		"application/problem+json":                 415,
		"application/x-www-form-urlencoded":        415,
		"application/json; charset=utf-16":         415,
		"application/json; charset=latin1":         415,
		"application/json; profile=x":              415,
		"application/json, text/plain":             415,
		"application/json; charset=utf-8; charset": 415,
	} {
		h := newHost(t)
		r := newPost(Prefix+"list/tasks", `{"limit":1}`)
		r.Header.Set("Content-Type", media)
		if got := h.serve(t, r); got.Code != want {
			t.Errorf("Content-Type %q is answered with %d %s, not %d", media, got.Code, got.Body, want)
		}
	}
	twice := newPost(Prefix+"list/tasks", `{}`)
	twice.Header.Add("Content-Type", "application/json")
	compressed := newPost(Prefix+"list/tasks", `{}`, "Content-Encoding", "gzip")
	chunked := newPost(Prefix+"list/tasks", `{}`)
	chunked.ContentLength = -1
	chunked.Header.Del("Content-Type")
	for name, r := range map[string]*http.Request{"two types": twice, "gzip": compressed, "chunked without type": chunked} {
		if got := newHost(t).serve(t, r); got.Code != http.StatusUnsupportedMediaType {
			t.Errorf("%s: the answer is %d %s", name, got.Code, got.Body)
		}
	}
}

func TestNoBodyNeedsNoType(t *testing.T) {
	for name, announced := range map[string]int64{"announced as empty": 0, "chunked": -1} {
		r := newPost(Prefix+"list/tasks", "")
		r.ContentLength = announced
		if got := newHost(t).serve(t, r); got.Code != http.StatusOK {
			t.Errorf("%s: the answer is %d %s", name, got.Code, got.Body)
		}
	}
}

// Each of these is answered with 400 and a message that says what is wrong and
// where; encoding/json would let many of them pass.
func TestAMalformedBodyIsRefusedWithItsReason(t *testing.T) {
	for body, where := range map[string]string{
		`{"limit":1`:                        "byte 10",
		`{"limit":1,}`:                      "byte 11",
		`{'limit':1}`:                       "byte 1",
		`{"limit":01}`:                      "byte",
		`{"limit":1}{"limit":2}`:            "byte 11",
		`{"limit":1} x`:                     "byte 12",
		`{"limit":1,"limit":2}`:             "byte 11",
		`{"limit":1,"\u006cimit":2}`:        "byte 11",
		`{"cursor":"a","cursor":"b"}`:       "byte 14",
		`{"Limit":1}`:                       "Limit (byte 1)",
		`{"ſimit":1}`:                       "byte 1",
		`{"LIMIT":1,"limit":2}`:             "LIMIT (byte 1)",
		`{"offset":10}`:                     "offset (byte 1)",
		`{"limit":1,"filters":{}}`:          "filters (byte 11)",
		`{"__proto__":{}}`:                  "__proto__ (byte 1)",
		"{\"cursor\":\"\xff\"}":             "byte 11",
		`{"cursor":"\ud800"}`:               "byte",
		"\ufeff{}":                          "byte 0",
		` `:                                 "byte 1",
		`null`:                              "null",
		`[]`:                                "array",
		`"limit"`:                           "string",
		`7`:                                 "number",
		`true`:                              "boolean",
		strings.Repeat(`[`, 4000):           "byte 32",
		`{"a":` + strings.Repeat(`[`, 4000): "byte",
		"\x00":                              "byte 0",
	} {
		h := newHost(t)
		got := h.post(t, "tasks", body)
		if got.Code != http.StatusBadRequest || mustError(t, got) != "invalid_request" {
			t.Errorf("%.40q is answered with %d %s", body, got.Code, got.Body)
		}
		if !strings.Contains(got.Body.String(), where) {
			t.Errorf("the answer to %.40q does not say %q: %s", body, where, got.Body)
		}
		if got.Body.Len() > 1024 {
			t.Errorf("the answer to %.40q has %d bytes", body, got.Body.Len())
		}
		if asked := h.authenticated.Load() + h.nativeAsked.Load() + h.listed.Load(); asked != 0 {
			t.Errorf("%.40q reached the host", body)
		}
	}
}

func TestUnknownPathsAreNotFoundAndNeverRedirected(t *testing.T) {
	for _, path := range []string{
		"", "/", "*", "/api", "/api/federation/v1", Prefix, Prefix + "list", Prefix + "list/", Prefix + "list//", Prefix + "list/tasks/",
		Prefix + "list/tasks/7", Prefix + "list/../capabilities", Prefix + "list/./tasks", Prefix + "/list/tasks", Prefix + "LIST/tasks",
		Prefix + "capabilities/", Prefix + "capabilities/x", Prefix + "Capabilities", Prefix + "get", Prefix + "get/", Prefix + "get/tasks", Prefix + "get/tasks/",
		Prefix + "get//7", Prefix + "GET/tasks/7", Prefix + "get/", "/v2/api/federation/v1/list/tasks",
		strings.ToUpper(Prefix) + "list/tasks", "/api/federation/v2/list/tasks", Prefix + strings.Repeat("x", 100_000),
	} {
		for _, method := range []string{"GET", "POST"} {
			h := newHost(t)
			r := newPost(path, "")
			r.Method = method
			got := h.serve(t, r)
			if got.Code != http.StatusNotFound || mustError(t, got) != "not_found" || got.Header().Get("Location") != "" {
				t.Errorf("%s %.60q is answered with %d %s", method, path, got.Code, got.Body)
			}
			if h.authenticated.Load() != 0 {
				t.Errorf("%s %.60q reached the host", method, path)
			}
		}
	}
}

// Any text is a resource until the registry has said no.
func TestAHostileResourceIsUnknown(t *testing.T) {
	for _, resource := range []string{
		"TASKS", "tasks ", " tasks", "tasks\x00", "tasks;drop table tasks", "täsks", "\xff\xfe", "..", ".", "%74asks", "tasks?x=1",
		"tаsks" /* a Cyrillic letter */, "task", "taskss", "tasks'", "_source", strings.Repeat("a", 1<<20), "\r\nX-Evil: 1",
	} {
		h := newHost(t)
		got := h.post(t, resource, "")
		if got.Code != http.StatusBadRequest || h.log.last(t)["code"] != string("invalid_resource") {
			t.Errorf("%.40q is answered with %d, %v", resource, got.Code, h.log.last(t)["code"])
		}
		if asked := h.nativeAsked.Load() + h.listed.Load(); asked != 0 {
			t.Errorf("%.40q reached native access or the lister", resource)
		}
	}
}

// Law 5, at random: whatever stands in body, path, method and headers is a 4xx, and
// neither native access nor the lister hears of it.
func TestWhateverAClientSendsIsNoFailureOfTheServer(t *testing.T) {
	const rounds = 3000
	random := rand.New(rand.NewPCG(5, 8))
	pieces := []string{
		`{`, `}`, `[`, `]`, `:`, `,`, `"limit"`, `"cursor"`, `""`, `null`, `0`, `-1`, `1e9`, `1.5`, `true`, `"\u0000"`, `"\ud800"`,
		"\x00", "\xff", `{"limit":0}`, `{"cursor":"`, strings.Repeat("A", 5000), strings.Repeat("[", 40), `"lim\u0069t"`, ` `, "\ufeff",
	}
	text := func(most int) string {
		var b strings.Builder
		for range random.IntN(most) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		return b.String()
	}
	h := newHost(t)
	seen := map[int]int{}
	for range rounds {
		// The odd piece in front keeps it from being a good request by chance.
		r := newPost(Prefix+"list/tasks", "["+text(9), "Accept", text(4), "X-Request-Id", text(3))
		switch random.IntN(5) {
		case 0:
			r.Method = text(2)
		case 1:
			r.URL.Path = Prefix + "list/" + text(5)
		case 3:
			r.URL.Path = Prefix + "get/tasks/" + text(5) // with a body that it may not have
		case 2:
			r.Header.Set("Content-Type", text(4))
		}
		got := h.serve(t, r)
		seen[got.Code]++
		if got.Code < 400 || got.Code >= 500 {
			t.Fatalf("%s %.80q is answered with %d", r.Method, r.URL.Path, got.Code)
		}
	}
	if asked := h.nativeAsked.Load() + h.reads(); asked != 0 {
		t.Errorf("%d hostile requests reached native access or the lister", asked)
	}
	for _, status := range []int{400, 404, 405, 413, 415} {
		if seen[status] == 0 {
			t.Errorf("the random requests never met %d: %s", status, fmt.Sprint(seen))
		}
	}
}
