package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/scope"
)

// newGateway returns a gateway of a few tasks, under the eyes of the observer.
func newGateway(observer federation.Observer) (http.Handler, error) {
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: tasks{}})
	if err != nil {
		return nil, err
	}
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	keys, err := cursor.NewKeyring(secret)
	if err != nil {
		return nil, err
	}
	cursors, err := cursor.New(cursor.Config{Keys: keys})
	if err != nil {
		return nil, err
	}
	return federation.NewHandler(federation.Config{
		Authenticator: demoToken{},
		Evaluator:     rules,
		Lister:        tasks{},
		Getter:        tasks{},
		Cursors:       cursors,
		Concurrent:    16,
		Observer:      observer,
	})
}

// demoToken knows one bearer token.
type demoToken struct{}

func (demoToken) Authenticate(r *http.Request) (scope.Grant, error) {
	if r.Header.Get("Authorization") != "Bearer demo" {
		return scope.Grant{}, federation.ErrNoCredential
	}
	granted, err := scope.Parse(scope.Standard(), []byte(`{"resources":["tasks"],"max_rows_per_query":50}`))
	return scope.Grant{ID: "demo", Peer: "demo", Subject: "user-1", Scope: granted}, err
}

// titles are the rows; their ids count from 1.
var titles = []string{"dig", "sow", "reap"}

// tasks is a Lister and a Getter of them, which shows everybody's.
type tasks struct{}

func (tasks) ReadAccess(_ context.Context, req scope.AccessRequest) (scope.Access, error) {
	return scope.Access{Allowed: req.Resource == "tasks", Personal: true}, nil
}

func (tasks) Layout(resource string) (cursor.Layout, bool) {
	layout, err := cursor.NewLayout("id asc; v1", cursor.Field{Kind: cursor.KindInt64})
	return layout, err == nil && resource == "tasks"
}

func (tasks) List(_ context.Context, f scope.Filter, after cursor.Position) ([]json.RawMessage, cursor.Position, error) {
	last := 0
	if after != nil {
		last = int(after[0].Int64())
	}
	var rows []json.RawMessage
	for last < len(titles) && len(rows) < f.Limit {
		last++
		rows = append(rows, row(last))
	}
	if last == len(titles) {
		return rows, nil, nil
	}
	return rows, cursor.Position{cursor.Int64Value(int64(last))}, nil
}

func (tasks) Get(_ context.Context, _ scope.Filter, id string) (json.RawMessage, bool, error) {
	n, err := strconv.Atoi(id)
	if err != nil || n < 1 || n > len(titles) || strconv.Itoa(n) != id {
		return nil, false, nil
	}
	return row(n), true, nil
}

func row(n int) json.RawMessage {
	text, _ := json.Marshal(map[string]string{"id": strconv.Itoa(n), "title": titles[n-1]}) // text always encodes
	return text
}
