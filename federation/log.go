package federation

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/mosaicstack/fedkit/scope"
)

// What goes to the log is bounded, in bytes: the text of a client may be as long
// as the server's header limit, and a host's error may quote it.
const (
	maxLoggedName  = 128
	maxLoggedError = 1024
	maxLoggedStack = 8192
)

// codeOK and codeAborted are the codes of the log lines that no refusal stands
// behind: a 200, and a handler that a part aborted with http.ErrAbortHandler.
const (
	codeOK      scope.Code = "ok"
	codeAborted scope.Code = "aborted"
)

// statusClientGone is the status of a request whose client did not wait for the answer,
// as nginx has it: the fault is not the server's, and none of its 5xx. On the wire, where
// nobody reads it, stands 503: the wire contract has no such status.
const statusClientGone = 499

// An outcome is how a request ended. The zero outcome is a handler that was
// aborted.
type outcome struct {
	status  int
	refused *refusal
	writing error // of the response
}

// outcomeOf is the end of a request with that answer.
func outcomeOf(a answer, refused *refusal) outcome {
	if refused != nil && refused.code == codeClientGone {
		return outcome{status: statusClientGone, refused: refused}
	}
	return outcome{status: a.status, refused: refused}
}

// log writes the one line of a request, with the fields of the package comment.
func (h *handler) log(x *exchange, done outcome) {
	latency := time.Since(x.started)
	code, stage, err := done.reason()
	level := levelOf(done.status, code)
	if !h.Logger.Enabled(x.ctx, level) {
		return
	}
	rows, truncated := x.rows, x.truncated
	if done.refused != nil {
		rows, truncated = 0, false // a page may have been thrown away
	}
	attrs := make([]slog.Attr, 0, 18)
	attrs = append(attrs,
		slog.String("request_id", x.id),
		slog.String("verb", x.verb),
		slog.String("resource", bounded(x.resource, maxLoggedName)),
		slog.Int("status", done.status),
		slog.String("code", string(code)),
		slog.String("stage", string(stage)),
		slog.String("grant", bounded(x.grant.ID, maxLoggedName)),
		slog.String("peer", bounded(x.grant.Peer, maxLoggedName)),
		slog.String("subject", bounded(x.grant.Subject, maxLoggedName)),
		slog.Int("rows", rows),
		slog.Bool("truncated", truncated),
		slog.Duration("latency", latency),
	)
	h.Logger.LogAttrs(x.ctx, level, "federation request", x.appendRare(attrs, err)...)
}

// appendRare adds the fields that not every line has.
func (x *exchange) appendRare(attrs []slog.Attr, err error) []slog.Attr {
	if x.source != "" {
		attrs = append(attrs,
			slog.String("source", string(x.source)),
			slog.String("sources", bounded(describe(x.sources), maxLoggedError)))
	}
	if x.verb == verbGet {
		attrs = append(attrs, slog.String("item", bounded(x.item, maxLoggedName)))
	}
	if err != nil {
		// fmt survives an Error method that panics.
		attrs = append(attrs, slog.String("err", bounded(fmt.Sprint(err), maxLoggedError)))
	}
	if panicked := panicOf(err); panicked != nil {
		attrs = append(attrs, slog.String("stack", bounded(string(panicked.stack), maxLoggedStack)))
	}
	if x.evaluated {
		attrs = append(attrs, slog.Any("trace", x.trace))
	}
	return attrs
}

// panicOf finds the panic behind an error, if it is one. Errors of the host may panic
// when they are looked at; that is none.
func panicOf(err error) *panicError {
	if err == nil {
		return nil
	}
	found, _ := contained("error", func() (*panicError, error) {
		var panicked *panicError
		errors.As(err, &panicked)
		return panicked, nil
	})
	return found
}

// reason returns the internal code and stage of an outcome, and the error behind
// it.
func (o outcome) reason() (scope.Code, scope.Stage, error) {
	switch {
	case o.refused != nil:
		return o.refused.code, o.refused.ruling().stage, errors.Join(o.refused.err, o.writing)
	case o.status == 0:
		return codeAborted, "", nil
	case o.writing != nil:
		return codeClientGone, "", o.writing
	}
	return codeOK, "", nil
}

// levelOf puts what needs the host's attention at Error: a part that failed, and a
// stored scope that does not parse. A client that hung up is nobody's fault: a gateway
// that merges lists does so in good health, when it no longer needs an answer.
func levelOf(status int, code scope.Code) slog.Level {
	switch {
	case code == scope.CodeInvalidScope:
		return slog.LevelError
	case code == codeClientGone, status == http.StatusOK:
		return slog.LevelInfo
	case status >= http.StatusInternalServerError, status == 0:
		return slog.LevelError
	}
	return slog.LevelWarn
}

// bounded cuts text to at most limit bytes, at the edge of a character, and marks
// the cut.
func bounded(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	cut := limit - len("…")
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
