package otelfed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/mosaicstack/fedkit/federation"
)

// instrumentation names this package in spans and metrics.
const instrumentation = "github.com/mosaicstack/fedkit/federation/otelfed"

// Config says where spans and metrics go. The zero Config is that of the process.
type Config struct {
	// TracerProvider makes the spans. Defaults to otel.GetTracerProvider().
	TracerProvider trace.TracerProvider

	// MeterProvider makes the metrics. Defaults to otel.GetMeterProvider().
	MeterProvider metric.MeterProvider

	// Propagator reads the trace of a peer out of the headers of its request. Defaults
	// to traceparent and tracestate of the W3C; baggage, which a peer could fill with
	// anything, is not read.
	Propagator propagation.TextMapPropagator

	// OwnTraces begins a trace for each request and links it to the peer's, rather than
	// go on with that one. Set it where a peer is not to decide which requests are
	// sampled.
	OwnTraces bool
}

func (c Config) withDefaults() Config {
	if c.TracerProvider == nil {
		c.TracerProvider = otel.GetTracerProvider()
	}
	if c.MeterProvider == nil {
		c.MeterProvider = otel.GetMeterProvider()
	}
	if c.Propagator == nil {
		c.Propagator = propagation.TraceContext{}
	}
	return c
}

// An Observer is a [federation.Observer]. It is safe for concurrent use.
type Observer struct {
	tracer      trace.Tracer
	propagator  propagation.TextMapPropagator
	ownTraces   bool
	instruments instruments
}

// New returns an Observer, or the error of an instrument that cannot be made.
func New(cfg Config) (*Observer, error) {
	cfg = cfg.withDefaults()
	made, err := newInstruments(cfg.MeterProvider.Meter(instrumentation))
	if err != nil {
		return nil, fmt.Errorf("otelfed: %w", err)
	}
	return &Observer{
		tracer:      cfg.TracerProvider.Tracer(instrumentation),
		propagator:  cfg.Propagator,
		ownTraces:   cfg.OwnTraces,
		instruments: made,
	}, nil
}

// Request begins the span of a request.
func (o *Observer) Request(r *http.Request, verb string) (context.Context, func(federation.Record)) {
	name := "federation"
	if verb != "" {
		name += " " + verb
	}
	options := []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("federation.verb", verb)),
	}
	ctx := o.propagator.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	if o.ownTraces {
		if peer := trace.SpanContextFromContext(ctx); peer.IsRemote() {
			options = append(options, trace.WithLinks(trace.Link{SpanContext: peer}))
		}
		ctx = r.Context()
		options = append(options, trace.WithNewRoot())
	}
	ctx, span := o.tracer.Start(ctx, name, options...)
	active := metric.WithAttributeSet(attribute.NewSet(attribute.String("federation.verb", verb)))
	o.instruments.active.Add(ctx, 1, active)
	return ctx, func(record federation.Record) {
		o.instruments.active.Add(ctx, -1, active)
		o.instruments.request(ctx, record)
		span.SetAttributes(spanAttributes(record)...)
		if record.Status == 0 || record.Status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// Part begins the span of a part.
func (o *Observer) Part(ctx context.Context, part string) (context.Context, func(error)) {
	ctx, span := o.tracer.Start(ctx, "federation part "+part)
	started := time.Now()
	return ctx, func(err error) {
		failed := isFailure(ctx, err)
		o.instruments.part(ctx, part, failed, time.Since(started))
		if failed {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// isFailure tells if an error is anybody's fault: it is not if nobody waits any more. What
// errors look like then depends on the part, so the context is asked.
func isFailure(ctx context.Context, err error) bool {
	return err != nil && !errors.Is(ctx.Err(), context.Canceled)
}

// labels are the attributes of a record that have few values.
func labels(r federation.Record) []attribute.KeyValue {
	attributes := []attribute.KeyValue{
		attribute.String("federation.verb", r.Verb),
		attribute.String("federation.code", r.Code),
	}
	if r.Known {
		attributes = append(attributes, attribute.String("federation.resource", r.Resource))
	}
	if r.Status != 0 {
		attributes = append(attributes, attribute.Int("http.response.status_code", r.Status))
	}
	return attributes
}

func spanAttributes(r federation.Record) []attribute.KeyValue {
	attributes := append(labels(r),
		attribute.String("federation.request_id", r.RequestID),
		attribute.Int("federation.rows", r.Rows),
		attribute.Int("http.response.body.size", r.Bytes),
	)
	for name, value := range map[string]string{"stage": r.Stage, "grant": r.Grant, "peer": r.Peer} {
		if value != "" {
			attributes = append(attributes, attribute.String("federation."+name, value))
		}
	}
	return attributes
}
