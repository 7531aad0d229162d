package fleetlockhttp_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mosaicstack/fedkit/fleetlock"
	"github.com/mosaicstack/fedkit/fleetlock/fleetlockhttp"
	"github.com/mosaicstack/fedkit/fleetlock/fleetlocktest"
)

func newHandler(t *testing.T, r fleetlock.Register, groups map[string]int) http.Handler {
	t.Helper()
	h, err := fleetlockhttp.New(fleetlockhttp.Config{Register: r, Groups: groups})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// ask sends a request and returns the status and the kind of the error.
func ask(t *testing.T, h http.Handler, method, path, body string, header ...string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for _, value := range header {
		r.Header.Add("fleet-lock-protocol", value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code == http.StatusOK {
		return w.Code, ""
	}
	var e struct{ Kind, Value string }
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Kind == "" || e.Value == "" {
		t.Errorf("%s %s with %q: the answer %q is not an error with kind and value: %v", method, path, body, w.Body, err)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("%s %s with %q: an error is of type %q", method, path, body, got)
	}
	return w.Code, e.Kind
}

func body(id, group string) string {
	return fmt.Sprintf(`{"client_params":{"id":%q,"group":%q}}`, id, group)
}

func lock(t *testing.T, h http.Handler, id, group string) int {
	t.Helper()
	status, _ := ask(t, h, "POST", "/v1/pre-reboot", body(id, group), "true")
	return status
}

func unlock(t *testing.T, h http.Handler, id, group string) int {
	t.Helper()
	status, _ := ask(t, h, "POST", "/v1/steady-state", body(id, group), "true")
	return status
}

func TestAGroupHasItsSlotsAndNoMore(t *testing.T) {
	t.Parallel()
	h := newHandler(t, new(fleetlocktest.Memory), map[string]int{"default": 1, "workers": 2})
	for i, step := range []struct {
		do        func(*testing.T, http.Handler, string, string) int
		id, group string
		want      int
	}{
		{unlock, "a", "workers", 200}, // as every node does when it starts
		{lock, "a", "workers", 200},
		{lock, "a", "workers", 200}, // it has one already
		{lock, "b", "workers", 200},
		{lock, "c", "workers", 409},
		{lock, "c", "default", 200}, // groups are apart
		{unlock, "c", "workers", 200},
		{lock, "c", "workers", 409}, // it had none to give
		{unlock, "a", "workers", 200},
		{lock, "c", "workers", 200},
		{lock, "A", "workers", 409}, // case counts
		{unlock, "b", "workers", 200},
		{unlock, "b", "workers", 200},
		{lock, "A", "workers", 200},
	} {
		if got := step.do(t, h, step.id, step.group); got != step.want {
			t.Fatalf("step %d, %s of %s: the status is %d, not %d", i, step.id, step.group, got, step.want)
		}
	}
}

func TestAGroupOfTheMostNodesWithTheLongestIDsHasRoomInARecord(t *testing.T) {
	t.Parallel()
	const most = 200
	for _, digits := range []string{`"\`, "<&"} { // which JSON makes longer, or may
		register := new(fleetlocktest.Memory)
		h := newHandler(t, register, map[string]int{"default": most})
		for i := range most {
			id := []byte(strings.Repeat(digits[:1], 128))
			for bit := range 8 {
				id[bit] = digits[i>>bit&1]
			}
			if got := lock(t, h, string(id), "default"); got != 200 {
				t.Fatalf("node %d of %d is answered by %d", i+1, most, got)
			}
		}
		got, err := register.Load(t.Context(), "reboot/default")
		if err != nil || len(got.Text) >= 64<<10 || !json.Valid([]byte(got.Text)) {
			t.Errorf("%d nodes with %q in their IDs have a record of %d bytes, %v", most, digits, len(got.Text), err)
		}
	}
}

func TestARequestThatIsNoneIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	register := new(fleetlocktest.Memory)
	h := newHandler(t, register, nil)
	good := body("a", "default")
	for _, test := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
		kind                     string
	}{
		{"another path", "POST", "/v1/pre-reboot/", good, []string{"true"}, 404, "unknown_path"},
		{"another version", "POST", "/v2/pre-reboot", good, []string{"true"}, 404, "unknown_path"},
		{"a GET", "GET", "/v1/pre-reboot", good, []string{"true"}, 405, "not_post"},
		{"no header", "POST", "/v1/pre-reboot", good, nil, 400, "missing_protocol_header"},
		{"another header", "POST", "/v1/pre-reboot", good, []string{"1"}, 400, "missing_protocol_header"},
		{"two headers", "POST", "/v1/pre-reboot", good, []string{"true", "true"}, 400, "missing_protocol_header"},
		{"no body", "POST", "/v1/pre-reboot", "", []string{"true"}, 400, "invalid_body"},
		{"half a body", "POST", "/v1/pre-reboot", good[:20], []string{"true"}, 400, "invalid_body"},
		{"a long body", "POST", "/v1/pre-reboot", good + strings.Repeat(" ", 4096), []string{"true"}, 413, "invalid_body"},
		{"more behind the body", "POST", "/v1/pre-reboot", good + good, []string{"true"}, 400, "invalid_body"},
		{"a list", "POST", "/v1/pre-reboot", "[]", []string{"true"}, 400, "invalid_body"},
		{"no parameters", "POST", "/v1/pre-reboot", "{}", []string{"true"}, 400, "invalid_body"},
		{"parameters that are null", "POST", "/v1/pre-reboot", `{"client_params":null}`, []string{"true"}, 400, "invalid_body"},
		{"two of one name", "POST", "/v1/pre-reboot", `{"client_params":{"id":"a","id":"b","group":"default"}}`, []string{"true"}, 400, "invalid_body"},
		{"no ID", "POST", "/v1/pre-reboot", `{"client_params":{"group":"default"}}`, []string{"true"}, 400, "invalid_id"},
		{"an empty ID", "POST", "/v1/pre-reboot", body("", "default"), []string{"true"}, 400, "invalid_id"},
		{"an ID that is a number", "POST", "/v1/pre-reboot", `{"client_params":{"id":1,"group":"default"}}`, []string{"true"}, 400, "invalid_id"},
		{"an ID with a line end", "POST", "/v1/pre-reboot", body("a\n", "default"), []string{"true"}, 400, "invalid_id"},
		{"a long ID", "POST", "/v1/pre-reboot", body(strings.Repeat("a", 129), "default"), []string{"true"}, 400, "invalid_id"},
		{"no group", "POST", "/v1/pre-reboot", `{"client_params":{"id":"a"}}`, []string{"true"}, 400, "invalid_group"},
		{"an empty group", "POST", "/v1/pre-reboot", body("a", ""), []string{"true"}, 400, "invalid_group"},
		{"a group with a space", "POST", "/v1/pre-reboot", body("a", "de fault"), []string{"true"}, 400, "invalid_group"},
		{"a group with a line end", "POST", "/v1/pre-reboot", body("a", "default\n"), []string{"true"}, 400, "invalid_group"},
		{"a group that is not served", "POST", "/v1/pre-reboot", body("a", "others"), []string{"true"}, 404, "unknown_group"},
		{"a release of a group that is not served", "POST", "/v1/steady-state", body("a", "others"), []string{"true"}, 404, "unknown_group"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, kind := ask(t, h, test.method, test.path, test.body, test.header...)
			if status != test.status || kind != test.kind {
				t.Errorf("%s is answered by %d %s, not %d %s", test.name, status, kind, test.status, test.kind)
			}
		})
	}
	got, err := register.Load(t.Context(), "reboot/default")
	if err != nil || got.Version != 0 {
		t.Errorf("requests that were refused have left the record %q, %v", got.Text, err)
	}
}

func TestMembersThatALaterProtocolMayHaveAreLeftAlone(t *testing.T) {
	t.Parallel()
	h := newHandler(t, new(fleetlocktest.Memory), nil)
	status, _ := ask(t, h, "POST", "/v1/pre-reboot", `{"v":2,"client_params":{"id":"a","group":"default","arch":"x86_64"}}`, "true")
	if status != 200 {
		t.Errorf("the status is %d", status)
	}
}

// The requests are those of Zincati 0.0.30, to the byte: its body is serde_json's
// to_string_pretty, and reqwest sets no content type for a body that is a string.
func TestZincatiIsServed(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.Handle("/base/", http.StripPrefix("/base", newHandler(t, new(fleetlocktest.Memory), nil)))
	server := httptest.NewServer(mux)
	defer server.Close()
	const id, other = "c988d2509fdf4cdcbed39037c56406fb", "e0f3745b108f471cbd4883c6fbed8cdd"
	replay := func(path, id string) (int, string) {
		t.Helper()
		text := "{\n  \"client_params\": {\n    \"id\": \"" + id + "\",\n    \"group\": \"default\"\n  }\n}"
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /base/%s HTTP/1.1\r\nfleet-lock-protocol: true\r\naccept: */*\r\nhost: %s\r\ncontent-length: %d\r\n\r\n%s",
			path, server.Listener.Addr(), len(text), text)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(answer)
	}
	for i, step := range []struct {
		path, id string
		status   int
		answer   string
	}{
		{"v1/steady-state", id, 200, ""},
		{"v1/steady-state", other, 200, ""},
		{"v1/pre-reboot", id, 200, ""},
		{"v1/pre-reboot", other, 409, `{"kind":"failed_lock_semaphore_full","value":"all slots of the group are taken"}` + "\n"},
		{"v1/steady-state", id, 200, ""}, // it is back
		{"v1/pre-reboot", other, 200, ""},
	} {
		status, answer := replay(step.path, step.id)
		if status != step.status || answer != step.answer {
			t.Errorf("step %d: %s of %s is answered by %d %q, not %d %q", i, step.path, step.id, status, answer, step.status, step.answer)
		}
	}
}

func TestOfNodesThatAskAtOnceAsManyAreServedAsThereAreSlots(t *testing.T) {
	t.Parallel()
	register := new(fleetlocktest.Memory)
	var served atomic.Int64
	var all sync.WaitGroup
	for i := range 20 {
		h := newHandler(t, register, map[string]int{"default": 3}) // each a server of its own
		all.Go(func() {
			if lock(t, h, fmt.Sprint("node-", i), "default") == 200 {
				served.Add(1)
			}
		})
	}
	all.Wait()
	if served.Load() != 3 {
		t.Errorf("%d nodes were served, not 3", served.Load())
	}
}

// A failing register makes swaps and loses the answers, or does not answer at all.
type failing struct {
	fleetlock.Register
	all bool
}

func (f failing) Load(ctx context.Context, name string) (fleetlock.Record, error) {
	if f.all {
		<-ctx.Done()
		return fleetlock.Record{}, ctx.Err()
	}
	return f.Register.Load(ctx, name)
}

func (f failing) Swap(ctx context.Context, name string, seen uint64, next fleetlock.Record) (uint64, error) {
	_, _ = f.Register.Swap(ctx, name, seen, next)
	return 0, errors.New("lost: secret-dsn")
}

func TestASlotWhoseAnswerWasLostIsFoundAgain(t *testing.T) {
	t.Parallel()
	h := newHandler(t, failing{Register: new(fleetlocktest.Memory)}, nil)
	for i, got := range []int{lock(t, h, "a", "default"), unlock(t, h, "a", "default"), lock(t, h, "b", "default")} {
		if got != 200 {
			t.Errorf("step %d: the status is %d", i, got)
		}
	}
}

func TestAStoreThatDoesNotAnswerOrMakesNoSenseServesNobody(t *testing.T) {
	t.Parallel()
	damaged := new(fleetlocktest.Memory)
	if _, err := damaged.Swap(t.Context(), "reboot/default", 0, fleetlock.Record{Token: 1, Text: `{"fleetlock":1}`}); err != nil {
		t.Fatal(err)
	}
	for name, register := range map[string]fleetlock.Register{"silent": failing{all: true}, "damaged": damaged} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHandler(t, register, nil)
			ctx, cancel := context.WithCancel(t.Context())
			if name == "silent" {
				cancel() // rather than wait
			}
			defer cancel()
			r := httptest.NewRequestWithContext(ctx, "POST", "/v1/pre-reboot", strings.NewReader(body("a", "default")))
			r.Header.Set("fleet-lock-protocol", "true")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != 503 || !strings.Contains(w.Body.String(), `"kind":"store_unavailable"`) {
				t.Errorf("the answer is %d %s", w.Code, w.Body)
			}
		})
	}
}

// A register that is down says so.
type down struct{ fleetlock.Register }

func (down) Load(context.Context, string) (fleetlock.Record, error) {
	return fleetlock.Record{}, errors.New("no connection")
}

// timeOut is context.WithTimeout, of a time that is up.
func timeOut(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, 0)
}

func TestTheLogTellsAClientThatLeavesFromAFailureOfTheRegister(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		register fleetlock.Register
		end      func(context.Context) (context.Context, context.CancelFunc)
		level    string
	}{
		{"a client that leaves before there is an answer", failing{all: true}, context.WithCancel, "INFO"},
		{"a client that leaves a register that is down", down{}, context.WithCancel, "ERROR"},
		{"a server that gives the register no more time", failing{all: true}, timeOut, "ERROR"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			h, err := fleetlockhttp.New(fleetlockhttp.Config{Register: test.register, Log: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			ctx, end := test.end(t.Context())
			end()
			r := httptest.NewRequestWithContext(ctx, "POST", "/v1/pre-reboot", strings.NewReader(body("a", "default")))
			r.Header.Set("fleet-lock-protocol", "true")
			h.ServeHTTP(httptest.NewRecorder(), r)
			if strings.Count(log.String(), "level=") != 1 || !strings.Contains(log.String(), "level="+test.level) {
				t.Errorf("%s is not logged once at %s: %s", test.name, test.level, log.String())
			}
		})
	}
}

func TestWhatIsWrongWithTheConfigIsAnErrorOfNew(t *testing.T) {
	t.Parallel()
	register := new(fleetlocktest.Memory)
	for name, cfg := range map[string]fleetlockhttp.Config{
		"no register":    {},
		"a bad group":    {Register: register, Groups: map[string]int{"a b": 1}},
		"no slots":       {Register: register, Groups: map[string]int{"a": 0}},
		"too many slots": {Register: register, Groups: map[string]int{"a": 201}},
	} {
		if _, err := fleetlockhttp.New(cfg); err == nil {
			t.Errorf("New takes %s", name)
		}
	}
}
