package federation

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// An Auditor keeps a record of every decision: of each request that the handler
// answers, denials and malformed requests included, exactly one. Calls run
// concurrently.
//
// The record is kept before the first byte of the answer leaves. If Audit fails,
// panics or takes longer than Config.AuditTimeout, nothing that was read leaves: the
// peer gets 503, also in the place of a denial. A host that would rather lose a record
// than an answer puts an [AuditQueue] between; one that keeps no record of requests
// without a grant wraps an Auditor and leaves them out by Record.Code.
//
// The context has the values of the request's, ends after Config.AuditTimeout, and
// outlives a client that hangs up: what was decided is kept even if nobody waits for
// it.
//
// The time that Audit takes lies between the last look at the grant and the
// answer. When it was more than a tenth of a second, the grant is looked at once more
// before anything leaves: if it was revoked meanwhile, the peer gets 403 after all, and
// that is a second record of the request.
type Auditor interface {
	Audit(ctx context.Context, r Record) error
}

// A Record is one decision. It has no row, no body, no cursor, no key, no pin and no error
// text. All text is UTF-8 without NUL. What the client wrote is cut at 128 bytes and ends in
// "…" then; ids of grants, peers and subjects are as the Authenticator gave them.
//
// A change of a grant and a step of an enrollment are Records, too: packages grants and
// enroll say which. So one Auditor keeps all that is decided, in one order.
type Record struct {
	Time      time.Time // when the request came, in UTC
	RequestID string    // empty for a change of a grant

	Grant, Peer, Subject string // empty until the grant is known
	Revision             int64  // of the grant, 0 until it is known
	Actor                string // who changed the grant; empty for a request

	Verb     string // list, get, capabilities, contract, or empty for a path of no verb; or what was done otherwise
	Resource string // as the client wrote it
	Known    bool   // Resource is one that the registry has and the grant came to be asked about
	Item     string // the id of a get, as the client wrote it

	Status int    // of the answer; 0: a part aborted the handler, 499: the client was gone
	Code   string // ok, aborted, or the internal code of the denial
	Stage  string // the part of the decision that denied, or empty

	LimitAsked   string // in decimal digits, or "not asked", or "invalid"
	LimitApplied int    // 0 before the evaluation
	Rows         int    // in the answer
	Bytes        int    // of the answer's body

	// Of a list over several gateways, else empty: which were asked for (all, peer:NAME),
	// how each of them fared, and whether the page said that rows are missing. Sources
	// has whom the gateway asked also if the answer is a denial in the end; it is empty
	// if the request was denied before anybody was asked.
	Source  Source
	Sources []SourceStatus
	Partial bool

	// Filter is the SHA-256 of what the grant and the host's access allowed of the
	// resource, in hexadecimal, or empty if no row was asked for. Two pages read by
	// the same subject, personal rows and teams have the same; limits play no part.
	Filter string

	Latency time.Duration // until the record was made
}

// slowAudit is how long an audit may take before the grant is looked at once more.
const slowAudit = 100 * time.Millisecond

// auditOrRefuse keeps the record of the answer that is about to leave. If it may not
// leave, the refusal that it returns does.
func (h *handler) auditOrRefuse(x *exchange, a answer, refused *refusal) *refusal {
	began := time.Now()
	if failed := h.audit(x, outcomeOf(a, refused), len(a.body)); failed != nil {
		return failed
	}
	if refused != nil && !refused.isAnswer() || time.Since(began) <= slowAudit {
		return nil
	}
	x.ctx, x.request = x.client, x.request.WithContext(x.client)
	defer x.limitTo(h.Timeout)()
	late := h.readmit(x)
	if late == nil {
		return nil
	}
	a = x.reply(late, nil)
	if failed := h.audit(x, outcomeOf(a, late), len(a.body)); failed != nil {
		return failed
	}
	return late
}

// audit keeps the record of a decision, once. If that fails, the refusal that it
// returns is the answer.
func (h *handler) audit(x *exchange, done outcome, bytes int) *refusal {
	if h.Auditor == nil {
		return nil
	}
	x.audited = true
	record := x.record(done, bytes)
	if !x.filter.Empty() {
		record.Filter = filterHash(x.filter)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.ctx), h.AuditTimeout)
	defer cancel()
	_, err := call(ctx, h, PartAudit, "auditor", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, h.Auditor.Audit(ctx, record)
	})
	if err == nil {
		err = overTime(ctx)
	}
	if err != nil {
		return &refusal{code: codeAuditFailed, err: fmt.Errorf("federation: the record of %q was not kept: %w", record.Code, err)}
	}
	return nil
}

// record tells how a request ended.
func (x *exchange) record(done outcome, bytes int) Record {
	code, stage, _ := done.reason()
	rows, partial := x.rows, x.partial
	if done.refused != nil {
		rows, partial = 0, false // a page may have been thrown away
	}
	return Record{
		Time:         x.started.UTC().Round(0), // without the reading of the monotonic clock
		RequestID:    x.id,
		Grant:        clean(x.grant.ID),
		Peer:         clean(x.grant.Peer),
		Subject:      clean(x.grant.Subject),
		Revision:     x.grant.Revision,
		Verb:         x.verb,
		Resource:     strings.Clone(bounded(clean(x.resource), maxLoggedName)),
		Known:        x.known,
		Item:         strings.Clone(bounded(clean(x.item), maxLoggedName)),
		Status:       done.status,
		Code:         clean(string(code)),
		Stage:        clean(string(stage)),
		LimitAsked:   x.limit.String(),
		LimitApplied: x.applied,
		Rows:         rows,
		Bytes:        bytes,
		Source:       x.source,
		Sources:      x.sources,
		Partial:      partial,
		Latency:      time.Since(x.started),
	}
}

// clean makes text what every database can store: a hostile name must not make the
// record fail, and with it the answer.
func clean(text string) string {
	if strings.IndexByte(text, 0) >= 0 {
		text = strings.ReplaceAll(text, "\x00", "�")
	}
	return strings.ToValidUTF8(text, "�")
}
