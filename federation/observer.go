package federation

import (
	"context"
	"log/slog"
	"net/http"
)

// The parts of a request that an Observer is told of, in the order in which they come.
// These names are stable.
const (
	PartAuthenticate   = "authenticate"
	PartEvaluate       = "evaluate"
	PartList           = "list"   // the Lister
	PartGet            = "get"    // the Getter
	PartFanOut         = "fanout" // all sources of a merged list, the Lister among them
	PartReauthenticate = "reauthenticate"
	PartAudit          = "audit"
)

// An Observer watches requests, for traces and metrics. The module federation/otelfed
// has one for OpenTelemetry, examples/prometheus one for Prometheus. Calls for several
// requests run concurrently, those for one request one after the other.
//
// An Observer changes no answer: a panic of it goes to the log. It must not wait.
type Observer interface {
	// Request is called when a request has come. Verb is list, get, capabilities,
	// contract, or empty for a path that has none. What is done for the request is done in
	// the context that Request returns, which must be r.Context() or come from it. Ended
	// is called once, when the answer has been handed to the server or the handler was
	// aborted. Its record is that of the audit but without Filter, and with the time
	// until then as Latency. Of its fields, Verb, Status, Code and Stage have few values;
	// Resource has if Known is true, and else has whatever clients write.
	Request(r *http.Request, verb string) (ctx context.Context, ended func(Record))

	// Part is called before one of the parts that the host plugged in is, which gets
	// the context that Part returns: ctx, or one that comes from it. Ended is called
	// once, behind the part, with its error. A denial is no error of the evaluator, and
	// a row that is not found none of the getter. Where ctx.Err() is context.Canceled by
	// then, the client has gone, and an error is nobody's fault.
	Part(ctx context.Context, part string) (_ context.Context, ended func(error))
}

// observeRequest tells the Observer that a request has come.
func (h *handler) observeRequest(x *exchange) {
	if h.Observer == nil {
		return
	}
	h.watched(x.ctx, func() {
		ctx, ended := h.Observer.Request(x.request, x.verb)
		if ctx != nil {
			x.ctx = ctx
			x.request = x.request.WithContext(ctx)
		}
		x.ended = ended
	})
}

// observeEnd tells the Observer how it ended.
func (h *handler) observeEnd(x *exchange, done outcome) {
	if x.ended != nil {
		h.watched(x.ctx, func() { x.ended(x.record(done, x.bytes)) })
	}
}

// notObserved is the end of a part that nobody watches.
func notObserved(error) {}

// observe tells the Observer that a part is called.
func (h *handler) observe(ctx context.Context, part string) (context.Context, func(error)) {
	if h.Observer == nil {
		return ctx, notObserved
	}
	within := ctx
	var end func(error)
	h.watched(ctx, func() {
		var observed context.Context
		if observed, end = h.Observer.Part(ctx, part); observed != nil {
			within = observed
		}
	})
	if end == nil {
		return within, notObserved
	}
	return within, func(err error) { h.watched(ctx, func() { end(err) }) }
}

// call runs a part that the host plugged in, guarded and observed.
func call[T any](ctx context.Context, h *handler, part, name string, f func(context.Context) (T, error)) (T, error) {
	ctx, ended := h.observe(ctx, part)
	returned := false
	defer func() {
		if !returned {
			ended(http.ErrAbortHandler) // nothing else gets through guarded
		}
	}()
	result, err := guarded(name, func() (T, error) { return f(ctx) })
	returned = true
	ended(err)
	return result, err
}

// watched calls the Observer.
func (h *handler) watched(ctx context.Context, call func()) {
	_, err := contained("observer", func() (struct{}, error) { call(); return struct{}{}, nil })
	if err != nil {
		h.Logger.LogAttrs(ctx, slog.LevelError, "federation observer",
			slog.String("err", bounded(err.Error(), maxLoggedError)),
			slog.String("stack", bounded(string(err.(*panicError).stack), maxLoggedStack)))
	}
}
