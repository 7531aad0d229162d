package federation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/scope"
)

// The wiring of a gateway: who asks, what the grant and the host allow, where the
// rows are, and what seals the cursors.
func Example() {
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: everyTask{}})
	if err != nil {
		log.Fatal(err)
	}
	keys, err := cursor.NewKeyring([]byte("32 random bytes from your secrets"))
	if err != nil {
		log.Fatal(err)
	}
	cursors, err := cursor.New(cursor.Config{Keys: keys})
	if err != nil {
		log.Fatal(err)
	}
	rows := tasks{"dig", "sow", "reap"}
	handler, err := federation.NewHandler(federation.Config{
		Authenticator: oneToken{}, Evaluator: rules, Lister: rows, Getter: rows, Cursors: cursors,
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(federation.Prefix, handler)

	first := post(mux, "list/tasks", `{"limit":2}`)
	fmt.Println(first.Items, first.Truncated)
	second := post(mux, "list/tasks", `{"limit":2,"cursor":"`+first.NextCursor+`"}`)
	fmt.Println(second.Items, second.Truncated)
	fmt.Println(post(mux, "get/tasks/1", "").Item)
	fmt.Println(post(mux, "get/tasks/3", "").Error)
	fmt.Println(post(mux, "list/credentials", "").Error)
	// Output:
	// [map[_source:local title:dig] map[_source:local title:sow]] true
	// [map[_source:local title:reap]] false
	// map[_source:local title:sow]
	// map[code:not_found message:no such item]
	// map[code:scope_violation message:this resource may not be read]
}

// tasks is a Lister and a Getter of rows in memory; a position is the index of the next
// one, and an id that of the row.
type tasks []string

func (t tasks) Layout(resource string) (cursor.Layout, bool) {
	layout, err := cursor.NewLayout("index; v1", cursor.Field{Kind: cursor.KindInt64})
	return layout, err == nil && resource == "tasks"
}

func (t tasks) List(_ context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
	start := 0
	if after != nil {
		start = int(after[0].Int64())
	}
	var rows []json.RawMessage
	for _, title := range t[start:min(len(t), start+f.Limit)] {
		row, err := json.Marshal(map[string]string{"title": title})
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, row)
	}
	if end := start + len(rows); end < len(t) {
		return rows, cursor.Position{cursor.Int64Value(int64(end))}, nil
	}
	return rows, nil, nil
}

func (t tasks) Get(_ context.Context, _ scope.Filter, id string) (json.RawMessage, bool, error) {
	index, err := strconv.Atoi(id)
	if err != nil || index < 0 || index >= len(t) {
		return nil, false, nil
	}
	row, err := json.Marshal(map[string]string{"title": t[index]})
	return row, err == nil, err
}

// everyTask is native access that shows everybody their own tasks, and nothing
// else.
type everyTask struct{}

func (everyTask) ReadAccess(_ context.Context, req scope.AccessRequest) (scope.Access, error) {
	return scope.Access{Allowed: req.Resource == "tasks", Personal: true}, nil
}

// oneToken is an Authenticator that knows one grant. A real one verifies a client
// certificate or a token and reads the grant from its store, each time.
type oneToken struct{}

func (oneToken) Authenticate(r *http.Request) (scope.Grant, error) {
	if r.Header.Get("Authorization") != "Bearer demo" {
		return scope.Grant{}, federation.ErrNoCredential
	}
	granted, err := scope.Parse(scope.Standard(),
		[]byte(`{"resources":["tasks"],"excluded_resources":["credentials"],"max_rows_per_query":50}`))
	return scope.Grant{ID: "grant-1", Peer: "peer-1", Subject: "user-1", Scope: granted}, err
}

// response is what a peer reads.
type response struct {
	Items      []map[string]string
	Item       map[string]string
	NextCursor string
	Truncated  bool `json:"_truncated"`
	Error      map[string]string
}

func post(handler http.Handler, path, body string) (read response) {
	r := httptest.NewRequest(http.MethodPost, federation.Prefix+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer demo")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), &read); err != nil {
		log.Fatal(err)
	}
	return read
}

// An audit that answers do not wait for. What it loses is counted.
func ExampleAuditQueue() {
	toLog, err := federation.NewLogAuditor(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: onlyTheDecision}))
	if err != nil {
		log.Fatal(err)
	}
	queue, err := federation.NewAuditQueue(federation.AuditQueueConfig{Auditor: toLog})
	if err != nil {
		log.Fatal(err)
	}
	// The handler does this for each request, with Config.Auditor: queue.
	_ = queue.Audit(context.Background(), federation.Record{Verb: "list", Resource: "tasks", Code: "ok", Rows: 50})

	if err := queue.Close(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(queue.Dropped(), queue.Failed())
	// Output:
	// msg="federation audit" verb=list resource=tasks code=ok rows=50
	// 0 0
}

// onlyTheDecision leaves out what an example has no room for.
func onlyTheDecision(_ []string, a slog.Attr) slog.Attr {
	switch a.Key {
	case "msg", "verb", "resource", "code", "rows":
		return a
	}
	return slog.Attr{}
}

// A server that slow clients cannot hold up.
func ExampleNewServer() {
	server, err := federation.NewServer(http.NotFoundHandler(), 0) // in place of the mux with the handler in it
	if err != nil {
		log.Fatal(err)
	}
	server.Addr = "127.0.0.1:8443"
	fmt.Println(server.ReadHeaderTimeout, server.ReadTimeout, server.WriteTimeout, server.MaxHeaderBytes)
	// Output: 5s 10s 52s 16384
}
