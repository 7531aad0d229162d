package otelfed

import (
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Transport returns a RoundTripper that makes a client span "federation request" of each
// request to another gateway, and sends its traceparent along, by the Propagator and the
// TracerProvider of cfg. It goes around base, nil for http.DefaultTransport. The span
// ends when the header of the answer is there.
func Transport(base http.RoundTripper, cfg Config) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	cfg = cfg.withDefaults()
	return transport{base, cfg.TracerProvider.Tracer(instrumentation), cfg.Propagator}
}

type transport struct {
	base       http.RoundTripper
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, span := t.tracer.Start(r.Context(), "federation request",
		trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(
			attribute.String("http.request.method", r.Method),
			attribute.String("server.address", r.URL.Host)))
	defer span.End()
	r = r.Clone(ctx) // a RoundTripper must not change the request that it was given
	t.propagator.Inject(ctx, propagation.HeaderCarrier(r.Header))
	response, err := t.base.RoundTrip(r)
	if err != nil {
		if isFailure(ctx, err) {
			span.SetStatus(codes.Error, "")
		}
		return nil, err
	}
	span.SetAttributes(attribute.Int("http.response.status_code", response.StatusCode))
	if response.StatusCode >= http.StatusBadRequest {
		span.SetStatus(codes.Error, "")
	}
	return response, nil
}
