package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mosaicstack/fedkit/federation"
)

// metrics is a federation.Observer that counts.
type metrics struct {
	requests *prometheus.HistogramVec // seconds, by what was asked and how it ended
	rows     *prometheus.CounterVec
	active   prometheus.Gauge
	parts    *prometheus.HistogramVec // seconds, by part
}

// newMetrics registers the metrics.
func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "federation_request_duration_seconds",
			Help: "Time from a request to its answer.",
		}, []string{"verb", "resource", "code", "status"}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "federation_rows_total",
			Help: "Rows that were sent to peers.",
		}, []string{"verb", "resource"}),
		active: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "federation_active_requests",
			Help: "Requests that are under way.",
		}),
		parts: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "federation_part_duration_seconds",
			Help: "Time that a part of the host took for a request.",
		}, []string{"part", "failed"}),
	}
	for _, c := range []prometheus.Collector{m.requests, m.rows, m.active, m.parts} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Request counts a request. A name that the registry does not know is no label: a client
// could make up as many as it likes. Neither is a grant or a subject, which belong in the
// audit.
func (m *metrics) Request(r *http.Request, _ string) (context.Context, func(federation.Record)) {
	m.active.Inc()
	return r.Context(), func(record federation.Record) {
		m.active.Dec()
		resource := ""
		if record.Known {
			resource = record.Resource
		}
		status := strconv.Itoa(record.Status)
		m.requests.WithLabelValues(record.Verb, resource, record.Code, status).Observe(record.Latency.Seconds())
		if record.Rows > 0 {
			m.rows.WithLabelValues(record.Verb, resource).Add(float64(record.Rows))
		}
	}
}

// Part measures a part.
func (m *metrics) Part(ctx context.Context, part string) (context.Context, func(error)) {
	started := time.Now()
	return ctx, func(err error) {
		failed := err != nil && !errors.Is(ctx.Err(), context.Canceled) // and somebody waited
		m.parts.WithLabelValues(part, strconv.FormatBool(failed)).Observe(time.Since(started).Seconds())
	}
}
