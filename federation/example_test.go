package federation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
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
	handler, err := federation.NewHandler(federation.Config{
		Authenticator: oneToken{}, Evaluator: rules, Lister: tasks{"dig", "sow", "reap"}, Cursors: cursors,
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
	fmt.Println(post(mux, "list/credentials", "").Error)
	// Output:
	// [map[_source:local title:dig] map[_source:local title:sow]] true
	// [map[_source:local title:reap]] false
	// map[code:scope_violation message:this resource may not be read]
}

// tasks is a Lister of rows in memory; a position is the index of the next one.
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
