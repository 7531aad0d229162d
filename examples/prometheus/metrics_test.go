package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/mosaicstack/fedkit/federation"
)

func TestRequestsAreCountedByWhatIsKnown(t *testing.T) {
	registry := prometheus.NewRegistry()
	observer, err := newMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	gateway, err := newGateway(observer)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path, token string) {
		r := httptest.NewRequest(http.MethodPost, federation.Prefix+path, nil)
		r.Header.Set("Authorization", token)
		gateway.ServeHTTP(httptest.NewRecorder(), r)
	}
	ask("list/tasks", "Bearer demo")
	ask("get/tasks/2", "Bearer demo")
	ask("get/tasks/7", "Bearer demo")
	ask("list/tasks", "Bearer other")
	for i := range 500 {
		ask(fmt.Sprint("list/made-up-", i), "Bearer demo")
	}
	want := `
# HELP federation_rows_total Rows that were sent to peers.
# TYPE federation_rows_total counter
federation_rows_total{resource="tasks",verb="get"} 1
federation_rows_total{resource="tasks",verb="list"} 3
# HELP federation_active_requests Requests that are under way.
# TYPE federation_active_requests gauge
federation_active_requests 0
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "federation_rows_total", "federation_active_requests"); err != nil {
		t.Error(err)
	}
	if n := testutil.CollectAndCount(observer.requests); n != 5 {
		t.Errorf("504 requests of 5 kinds are %d series", n)
	}
	if _, err := newMetrics(registry); err == nil {
		t.Error("the metrics are registered twice")
	}
}

// Gateways that merge lists hang up in good health, and their peers must not call for help.
func TestAPartThatNobodyWaitsForHasNotFailed(t *testing.T) {
	observer, err := newMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	waited := t.Context()
	gone, hangUp := context.WithCancel(waited)
	hangUp()
	for _, ctx := range []context.Context{waited, gone} {
		_, ended := observer.Part(ctx, federation.PartList)
		ended(errors.New("57014: canceling statement"))
	}
	for _, failed := range []string{"true", "false"} {
		if !observer.parts.DeleteLabelValues(federation.PartList, failed) {
			t.Errorf("no part is counted with failed=%s", failed)
		}
	}
}
