package otelfed

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/mosaicstack/fedkit/federation"
)

// instruments are the metrics of the package comment.
type instruments struct {
	duration     metric.Float64Histogram
	rows         metric.Int64Histogram
	active       metric.Int64UpDownCounter
	partDuration metric.Float64Histogram
}

// seconds are the bounds that the semantic conventions of HTTP give for durations.
var seconds = metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

func newInstruments(meter metric.Meter) (instruments, error) {
	var made instruments
	var errs [4]error
	made.duration, errs[0] = meter.Float64Histogram("federation.server.request.duration", metric.WithUnit("s"), seconds,
		metric.WithDescription("Time from a request to its answer."))
	made.rows, errs[1] = meter.Int64Histogram("federation.server.response.rows", metric.WithUnit("{row}"),
		metric.WithExplicitBucketBoundaries(0, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000),
		metric.WithDescription("Rows in an answer that may have some."))
	made.active, errs[2] = meter.Int64UpDownCounter("federation.server.active_requests", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that are under way."))
	made.partDuration, errs[3] = meter.Float64Histogram("federation.server.part.duration", metric.WithUnit("s"), seconds,
		metric.WithDescription("Time that a part of the host took for a request."))
	return made, errors.Join(errs[:]...)
}

// request measures a request that has ended.
func (i instruments) request(ctx context.Context, r federation.Record) {
	i.duration.Record(ctx, r.Latency.Seconds(), metric.WithAttributes(labels(r)...))
	if r.Code == "ok" && r.Known {
		i.rows.Record(ctx, int64(r.Rows), metric.WithAttributes(
			attribute.String("federation.verb", r.Verb), attribute.String("federation.resource", r.Resource)))
	}
}

// part measures a part that has returned.
func (i instruments) part(ctx context.Context, part string, failed bool, took time.Duration) {
	i.partDuration.Record(ctx, took.Seconds(), metric.WithAttributes(
		attribute.String("federation.part", part), attribute.Bool("federation.failed", failed)))
}
