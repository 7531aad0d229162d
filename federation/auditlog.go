package federation

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// NewLogAuditor returns an Auditor that hands each record to a handler of package
// slog, at Info and with the message "federation audit". The attributes are named as
// the fields of the log in the package comment are, and besides
//
//	revision     integer  of the grant, 0 until it is known
//	actor        text     who changed the grant; empty for a request
//	known        boolean  the registry has the resource
//	partial      boolean  the page of several gateways said that rows are missing
//	limit_asked  text     in digits, "not asked" or "invalid"
//	limit        integer  applied, 0 before the evaluation
//	bytes        integer  of the answer's body
//	filter       text     hash of what was allowed, or empty
//
// The level of the handler does not count, and an error of the handler is one of the
// Auditor: a record that could not be written stops the answer. (A *slog.Logger keeps
// such errors to itself, which is why it is not asked for here.)
func NewLogAuditor(to slog.Handler) (Auditor, error) {
	if to == nil {
		return nil, errors.New("federation: no slog.Handler to audit to")
	}
	return logAuditor{to}, nil
}

type logAuditor struct{ to slog.Handler }

func (a logAuditor) Audit(ctx context.Context, r Record) error {
	line := slog.NewRecord(r.Time, slog.LevelInfo, "federation audit", 0)
	line.AddAttrs(
		slog.String("request_id", r.RequestID),
		slog.String("grant", r.Grant),
		slog.String("peer", r.Peer),
		slog.String("subject", r.Subject),
		slog.Int64("revision", r.Revision),
		slog.String("actor", r.Actor),
		slog.String("verb", r.Verb),
		slog.String("resource", r.Resource),
		slog.Bool("known", r.Known),
		slog.String("item", r.Item),
		slog.Int("status", r.Status),
		slog.String("code", r.Code),
		slog.String("stage", r.Stage),
		slog.String("limit_asked", r.LimitAsked),
		slog.Int("limit", r.LimitApplied),
		slog.Int("rows", r.Rows),
		slog.Int("bytes", r.Bytes),
		slog.String("source", string(r.Source)),
		slog.String("sources", describe(r.Sources)),
		slog.Bool("partial", r.Partial),
		slog.String("filter", r.Filter),
		slog.Duration("latency", r.Latency.Round(time.Microsecond)),
	)
	return a.to.Handle(ctx, line)
}
