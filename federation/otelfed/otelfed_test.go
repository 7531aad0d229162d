package otelfed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/federation"
	"github.com/mosaicstack/fedkit/federation/otelfed"
	"github.com/mosaicstack/fedkit/internal/contracttest"
	"github.com/mosaicstack/fedkit/scope"
)

var _ federation.Observer = (*otelfed.Observer)(nil)

// A host has three tasks, and may fail.
type host struct {
	grant scope.Grant
	fails error
	asked func()              // for the tasks; may be nil
	seen  []trace.SpanContext // of the parts that were called
}

func (h *host) see(ctx context.Context) { h.seen = append(h.seen, trace.SpanContextFromContext(ctx)) }

func (h *host) Authenticate(r *http.Request) (scope.Grant, error) {
	h.see(r.Context())
	return h.grant, nil
}

func (h *host) ReadAccess(ctx context.Context, req scope.AccessRequest) (scope.Access, error) {
	h.see(ctx)
	return scope.Access{Allowed: req.Resource == "tasks", Personal: true}, nil
}

func (h *host) Layout(resource string) (cursor.Layout, bool) {
	layout, err := cursor.NewLayout("index; v1", cursor.Field{Kind: cursor.KindInt64})
	return layout, err == nil && resource == "tasks"
}

func (h *host) List(ctx context.Context, f scope.Filter, _ cursor.Position) ([]json.RawMessage, cursor.Position, error) {
	h.see(ctx)
	if h.asked != nil {
		h.asked()
	}
	return []json.RawMessage{json.RawMessage(`{}`), json.RawMessage(`{}`)}, nil, h.fails
}

// A bench is a host under the eyes of OpenTelemetry.
type bench struct {
	*host
	handler http.Handler
	spans   *tracetest.SpanRecorder
	metrics *metric.ManualReader
	config  otelfed.Config
}

func newBench(t *testing.T, cfg otelfed.Config) bench {
	t.Helper()
	b := bench{host: new(host), spans: tracetest.NewSpanRecorder(), metrics: metric.NewManualReader(), config: cfg}
	b.config.TracerProvider = sdk.NewTracerProvider(sdk.WithSpanProcessor(b.spans))
	b.config.MeterProvider = metric.NewMeterProvider(metric.WithReader(b.metrics))
	observer, err := otelfed.New(b.config)
	must(t, err)
	b.grant = scope.Grant{ID: "grant-1", Peer: "peer-1", Subject: "user-1"}
	b.grant.Scope, err = scope.Parse(scope.Standard(), []byte(`{"resources":["tasks"],"max_rows_per_query":50}`))
	must(t, err)
	rules, err := scope.NewRules(scope.Config{Registry: scope.Standard(), Native: b.host})
	must(t, err)
	keys, err := cursor.NewKeyring([]byte(strings.Repeat("k", 32)))
	must(t, err)
	cursors, err := cursor.New(cursor.Config{Keys: keys})
	must(t, err)
	handler, err := federation.NewHandler(federation.Config{
		Authenticator: b.host, Evaluator: rules, Lister: b.host, Cursors: cursors, Observer: observer,
	})
	must(t, err)
	b.handler = contracttest.Watch(t, handler)
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (b bench) list(resource string, header ...string) int {
	r := httptest.NewRequest(http.MethodPost, federation.Prefix+"list/"+resource, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w.Code
}

func attributesOf(span sdk.ReadOnlySpan) map[string]string {
	found := map[string]string{}
	for _, a := range span.Attributes() {
		found[string(a.Key)] = a.Value.String()
	}
	return found
}

func TestARequestIsASpanWithItsPartsWithin(t *testing.T) {
	b := newBench(t, otelfed.Config{})
	b.list("tasks", "X-Request-ID", "id-1")
	var names []string
	ended := b.spans.Ended()
	root := ended[len(ended)-1]
	for _, span := range ended {
		names = append(names, span.Name())
		if span != root && span.Parent().SpanID() != root.SpanContext().SpanID() {
			t.Errorf("the span %s is not within its request", span.Name())
		}
	}
	want := []string{"federation part authenticate", "federation part evaluate", "federation part list", "federation part reauthenticate", "federation list"}
	if !slices.Equal(names, want) {
		t.Errorf("the spans are %q, not %q", names, want)
	}
	for i, seen := range b.seen {
		if seen.SpanID() != ended[i].SpanContext().SpanID() {
			t.Errorf("the part %s ran in another span", ended[i].Name())
		}
	}
	wanted := map[string]string{
		"federation.verb": "list", "federation.resource": "tasks", "federation.code": "ok", "federation.rows": "2", "federation.request_id": "id-1",
		"federation.grant": "grant-1", "federation.peer": "peer-1", "http.response.status_code": "200",
	}
	got := attributesOf(root)
	for name, value := range wanted {
		if got[name] != value {
			t.Errorf("%s is %q, not %q", name, got[name], value)
		}
	}
	if root.SpanKind() != trace.SpanKindServer || root.Status().Code != codes.Unset {
		t.Errorf("the request is of kind %v with status %v", root.SpanKind(), root.Status())
	}
}

const peerTrace = "0af7651916cd43dd8448eb211c80319c"

func TestTheTraceOfAPeerGoesOn(t *testing.T) {
	header := []string{"traceparent", "00-" + peerTrace + "-b7ad6b7169203331-01", "baggage", "user=canary"}
	b := newBench(t, otelfed.Config{})
	b.list("tasks", header...)
	for _, span := range b.spans.Ended() {
		if span.SpanContext().TraceID().String() != peerTrace {
			t.Errorf("%s is of the trace %s", span.Name(), span.SpanContext().TraceID())
		}
	}
	own := newBench(t, otelfed.Config{OwnTraces: true})
	own.list("tasks", header...)
	ended := own.spans.Ended()
	root := ended[len(ended)-1]
	if root.SpanContext().TraceID().String() == peerTrace || root.Parent().IsValid() {
		t.Error("a request that is to have a trace of its own is in the peer's")
	}
	if links := root.Links(); len(links) != 1 || links[0].SpanContext.TraceID().String() != peerTrace {
		t.Errorf("it is linked to %v", links)
	}
	for _, bad := range []string{"", "00-zz-1-1", "00-" + strings.Repeat("0", 32) + "-b7ad6b7169203331-01", strings.Repeat("x", 10_000)} {
		if status := newBench(t, otelfed.Config{}).list("tasks", "traceparent", bad); status != http.StatusOK {
			t.Errorf("the traceparent %.60q is answered with %d", bad, status)
		}
	}
}

func TestAFailureShowsAndItsTextDoesNot(t *testing.T) {
	b := newBench(t, otelfed.Config{})
	b.fails = errors.New("canary: SELECT 1")
	if status := b.list("tasks"); status != http.StatusInternalServerError {
		t.Fatalf("the answer is %d", status)
	}
	for _, span := range b.spans.Ended() {
		failed := span.Name() == "federation part list" || span.Name() == "federation list"
		if (span.Status().Code == codes.Error) != failed {
			t.Errorf("%s has the status %v", span.Name(), span.Status())
		}
		if text := fmt.Sprint(span.Attributes(), span.Events(), span.Status()); strings.Contains(text, "canary") || strings.Contains(text, "user-1") {
			t.Errorf("%s says %s", span.Name(), text)
		}
	}
}

// A client that hangs up is in the metrics, and as a failure of nothing.
func TestAClientThatHangsUpIsNoFailure(t *testing.T) {
	b := newBench(t, otelfed.Config{})
	ctx, hangUp := context.WithCancel(t.Context())
	b.asked, b.fails = hangUp, errors.New("57014: canceling statement due to user request")
	r := httptest.NewRequest(http.MethodPost, federation.Prefix+"list/tasks", nil)
	b.handler.ServeHTTP(httptest.NewRecorder(), r.WithContext(ctx))
	for _, span := range b.spans.Ended() {
		if span.Status().Code == codes.Error {
			t.Errorf("%s has failed", span.Name())
		}
	}
	const gone = "federation.code=client_gone,federation.resource=tasks,federation.verb=list,http.response.status_code=499"
	if got := b.pointsOf(t, "federation.server.request.duration"); len(got) != 1 || got[gone] != 1 {
		t.Errorf("the requests are counted as %v", got)
	}
	for labels := range b.pointsOf(t, "federation.server.part.duration") {
		if strings.Contains(labels, "failed=true") {
			t.Errorf("a part is counted as %s", labels)
		}
	}

	server := httptest.NewServer(b.handler)
	defer server.Close()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, nil)
	must(t, err)
	if _, err := otelfed.Transport(nil, b.config).RoundTrip(request); !errors.Is(err, context.Canceled) {
		t.Fatalf("a request that is given up ends in %v", err)
	}
	if ended := b.spans.Ended(); ended[len(ended)-1].Status().Code == codes.Error {
		t.Error("a request that was given up has failed")
	}
}

// pointsOf counts the data points of a histogram by their attributes.
func (b bench) pointsOf(t *testing.T, name string) map[string]uint64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	must(t, b.metrics.Collect(t.Context(), &all))
	points := map[string]uint64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != name {
				continue
			}
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					points[p.Attributes.Encoded(attribute.DefaultEncoder())] += p.Count
				}
			case metricdata.Histogram[int64]:
				for _, p := range data.DataPoints {
					points[p.Attributes.Encoded(attribute.DefaultEncoder())] += p.Count
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					points[p.Attributes.Encoded(attribute.DefaultEncoder())] = uint64(p.Value)
				}
			}
		}
	}
	return points
}

// What clients make up never becomes a label: a thousand names are one time series.
func TestMetricsHaveFewSeriesWhateverClientsAsk(t *testing.T) {
	b := newBench(t, otelfed.Config{})
	for range 3 {
		b.list("tasks")
	}
	b.list("notes")
	for i := range 1000 {
		b.list(fmt.Sprint("made-up-", i))
	}
	want := map[string]uint64{
		"federation.code=ok,federation.resource=tasks,federation.verb=list,http.response.status_code=200":                   3,
		"federation.code=resource_not_granted,federation.resource=notes,federation.verb=list,http.response.status_code=403": 1,
		"federation.code=invalid_resource,federation.verb=list,http.response.status_code=400":                               1000,
	}
	if got := b.pointsOf(t, "federation.server.request.duration"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the requests are counted as %v, not %v", got, want)
	}
	if got := b.pointsOf(t, "federation.server.response.rows"); fmt.Sprint(got) != "map[federation.resource=tasks,federation.verb=list:3]" {
		t.Errorf("the rows are counted as %v", got)
	}
	if got := b.pointsOf(t, "federation.server.active_requests"); fmt.Sprint(got) != "map[federation.verb=list:0]" {
		t.Errorf("the requests under way are %v", got)
	}
	if got := b.pointsOf(t, "federation.server.part.duration"); len(got) != 4 || got["federation.failed=false,federation.part=list"] != 3 {
		t.Errorf("the parts are counted as %v", got)
	}
}

func TestTheTraceGoesAlongToThePeer(t *testing.T) {
	b := newBench(t, otelfed.Config{})
	var sent string
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Get("traceparent")
		b.handler.ServeHTTP(w, r)
	}))
	defer peer.Close()
	client := http.Client{Transport: otelfed.Transport(nil, b.config)}
	request, err := http.NewRequest(http.MethodPost, peer.URL+federation.Prefix+"list/tasks", nil)
	must(t, err)
	response, err := client.Do(request)
	must(t, err)
	response.Body.Close()
	if len(request.Header) != 0 {
		t.Errorf("the caller's request now has the header %v", request.Header)
	}
	var client1, server trace.SpanContext
	for _, span := range b.spans.Ended() {
		switch span.Name() {
		case "federation request":
			client1 = span.SpanContext()
		case "federation list":
			server = span.SpanContext()
		}
	}
	if !client1.IsValid() || client1.TraceID() != server.TraceID() || !strings.Contains(sent, client1.SpanID().String()) {
		t.Errorf("the peer is in the trace %s after %q, and the client in %s", server.TraceID(), sent, client1.TraceID())
	}
	peer.Close()
	if _, err := client.Do(request); err == nil {
		t.Error("a peer that is gone answers")
	}
	if last := b.spans.Ended(); last[len(last)-1].Status().Code != codes.Error {
		t.Error("a request that fails does not show")
	}
}

func TestARequestThatIsRefusedShowsInItsSpan(t *testing.T) {
	for status, shows := range map[int]codes.Code{http.StatusOK: codes.Unset, http.StatusForbidden: codes.Error, http.StatusBadGateway: codes.Error} {
		b := newBench(t, otelfed.Config{})
		peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		defer peer.Close()
		client := http.Client{Transport: otelfed.Transport(nil, b.config)}
		answer, err := client.Get(peer.URL)
		must(t, err)
		answer.Body.Close()
		if spans := b.spans.Ended(); len(spans) != 1 || spans[0].Status().Code != shows {
			t.Errorf("the spans of a request that is answered with a %d are %v", status, spans)
		}
	}
}
