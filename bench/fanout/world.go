package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/scope"
)

// The way to the nearest and to the farthest peer and back.
const (
	nearest  = 10 * time.Millisecond
	farthest = 20 * time.Millisecond
)

// patience is how long a source may take, on a machine that is busy with other things.
const patience = time.Minute

// A world is a gateway without rows of its own, and its peers.
type world struct {
	gateway  *federation.Client
	slowest  *federation.Client // of the farthest peer
	fetched  atomic.Int64       // rows that the peers gave
	asked    atomic.Int64       // requests to them
	shutdown []func() error
}

// newWorld makes a world of as many rows as the merged list needs.
func newWorld(c cell, rows int) (*world, error) {
	w := &world{}
	peers := make([]federation.Peer, c.peers)
	numbers := make([][]int64, c.peers)
	for place := range rows {
		p := c.shape.peer(place, c.peers)
		numbers[p] = append(numbers[p], int64(place))
	}
	for i := range peers {
		way := nearest + (farthest-nearest)*time.Duration(i)/time.Duration(c.peers-1)
		client, err := w.serve(&lister{world: w, numbers: numbers[i]}, way, nil)
		if err != nil {
			return w, err
		}
		peers[i] = federation.Peer{Name: fmt.Sprintf("peer-%02d", i), Client: client}
		w.slowest = client
	}
	fanOut, err := federation.NewFanOut(federation.FanOutConfig{
		Peers:  func(context.Context, scope.Grant) ([]federation.Peer, error) { return peers, nil },
		Keys:   ring(),
		Orders: map[string]federation.Order{"tasks": {Fields: []federation.OrderField{{Name: "place", Kind: cursor.KindInt64}}, Ascending: true}},

		SourceTimeout: patience,
	})
	if err != nil {
		return w, err
	}
	w.gateway, err = w.serve(&lister{world: w}, 0, fanOut)
	return w, err
}

func (w *world) close() {
	for _, f := range w.shutdown {
		f()
	}
}

// serve starts a gateway that is some way off, and returns a client of it.
func (w *world) serve(rows *lister, way time.Duration, fanOut *federation.FanOut) (*federation.Client, error) {
	handler, err := newHandler(rows, fanOut)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		time.Sleep(way)
		handler.ServeHTTP(rw, r)
	})}
	go server.Serve(listener)
	w.shutdown = append(w.shutdown, server.Close)
	return federation.NewClient(federation.ClientConfig{
		URL:  "http://" + listener.Addr().String(),
		HTTP: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}, Timeout: 2 * patience,
	})
}

func newHandler(rows *lister, fanOut *federation.FanOut) (http.Handler, error) {
	layout, err := cursor.NewLayout("by place", cursor.Field{Kind: cursor.KindInt64})
	if err != nil {
		return nil, err
	}
	rows.layout = layout
	granted, err := scope.Parse(scope.Standard(), []byte(`{"resources":["tasks"],"max_rows_per_query":1000}`))
	if err != nil {
		return nil, err
	}
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: rows, Timeout: patience})
	if err != nil {
		return nil, err
	}
	codec, err := cursor.New(cursor.Config{Keys: ring()})
	if err != nil {
		return nil, err
	}
	return federation.NewHandler(federation.Config{
		Authenticator: letIn{scope.Grant{ID: "grant", Subject: "user", Scope: granted}},
		Evaluator:     rules, Lister: rows, Cursors: codec, FanOut: fanOut, Timeout: 2 * patience,
	})
}

func ring() *cursor.Keyring {
	keys, err := cursor.NewKeyring([]byte(strings.Repeat("k", 32)))
	if err != nil {
		panic(err)
	}
	return keys
}

type letIn struct{ grant scope.Grant }

func (l letIn) Authenticate(*http.Request) (scope.Grant, error) { return l.grant, nil }

// A lister lists numbers, the smallest first, as rows of 500 bytes. It is also the native
// access, which allows everything.
type lister struct {
	world   *world
	numbers []int64
	layout  cursor.Layout
}

// rowBytes is about the length of a task.
const rowBytes = 500

var filler = strings.Repeat("x", rowBytes-30)

func (l *lister) ReadAccess(context.Context, scope.AccessRequest) (scope.Access, error) {
	return scope.Access{Allowed: true, Personal: true}, nil
}

func (l *lister) Layout(resource string) (cursor.Layout, bool) { return l.layout, resource == "tasks" }

func (l *lister) List(_ context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
	start := 0
	if after != nil {
		start, _ = slices.BinarySearch(l.numbers, after[0].Int64()+1)
	}
	end := min(start+f.Limit, len(l.numbers))
	page := make([]json.RawMessage, 0, end-start)
	for _, n := range l.numbers[start:end] {
		page = append(page, fmt.Appendf(nil, `{"place":%d,"text":"%s"}`, n, filler))
	}
	l.world.fetched.Add(int64(len(page)))
	l.world.asked.Add(1)
	if end == len(l.numbers) {
		return page, nil, nil
	}
	return page, cursor.Position{cursor.Int64Value(l.numbers[end-1])}, nil
}
