package enroll

import (
	"context"
	"errors"
	"time"

	"github.com/mosaicstack/fedkit/federation"
)

// AuditTo returns a Report that keeps every step by an Auditor of package federation, in
// the same log or table as requests and changes of grants. An error of the Auditor stops
// the enrollment; with a [federation.AuditQueue] before it nothing does.
//
// The record has the Verb enroll, the ticket's ID as Item, and as Code the step, or for
// Refused the Code of the event, with the Stage refused. Neither the pin, the serial
// number nor the error of an event is in it.
func AuditTo(auditor federation.Auditor) (Report, error) {
	if auditor == nil {
		return nil, errors.New("enroll: no Auditor to report to")
	}
	return func(ctx context.Context, e Event) error {
		r := federation.Record{
			Time: e.Time.UTC().Round(0), RequestID: e.RequestID, Grant: e.Grant,
			Verb: "enroll", Item: e.Ticket, Code: string(e.Step),
		}
		if e.Step == Refused {
			r.Stage, r.Code = string(Refused), string(e.Code)
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout)
		defer cancel()
		if err := auditor.Audit(ctx, r); err != nil {
			return err
		}
		return ctx.Err() // kept too late is not kept
	}, nil
}

// auditTimeout is that of the handler of package federation, unless its host says
// otherwise.
const auditTimeout = 2 * time.Second
