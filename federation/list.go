package federation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

// list serves one page of a resource. It goes down the decision table: the first
// row that refuses is the answer.
func (h *handler) list(x *exchange, body *bytes.Buffer) *refusal {
	if refused := x.only(http.MethodPost); refused != nil {
		return refused
	}
	asked, refused := h.readListBody(x.request)
	if refused != nil {
		return refused
	}
	x.limit = asked.limit
	defer x.limitTo(h.Timeout)()
	if refused := h.admit(x); refused != nil {
		return refused
	}
	if asked.merges() {
		return h.listMerged(x, asked, body)
	}
	place := h.newKeyset(x, asked.cursor)
	filter, refused := h.evaluate(x, asked.limit, place.check)
	if refused != nil {
		return refused
	}
	return h.settle(x, h.page(x, filter, place, body))
}

// settle decides what becomes of rows that have been read, or of the failure to. Row
// 16 stands before row 17: a peer that lost its grant meanwhile does not learn how the
// query went. An answer that came too late is none, and that nothing was found is an
// answer too.
func (h *handler) settle(x *exchange, failed *refusal) *refusal {
	late := x.overdue(stageQuery)
	if late == nil {
		if refused := h.readmit(x); refused != nil {
			return refused
		}
		late = x.overdue(stageQuery)
	}
	if late != nil && (failed == nil || failed.isAnswer()) {
		return late
	}
	return failed
}

// evaluate asks what the grant shows of the resource: rows 5 to 15. An empty
// filter is the decision "none".
//
// The evaluator is the host's, so its answer is not taken on trust: a cursor that
// it did not check is checked here, and a filter for another question is a failure.
func (h *handler) evaluate(x *exchange, limit scope.Limit, check func() (scope.Code, error)) (scope.Filter, *refusal) {
	decision, err := call(x.ctx, h, PartEvaluate, "evaluator", func(ctx context.Context) (scope.Decision, error) {
		return h.Evaluator.Evaluate(ctx, scope.Request{
			Grant:    x.grant,
			Resource: x.resource,
			Limit:    limit,
			Check:    check,
		}), nil
	})
	if err != nil {
		return scope.Filter{}, &refusal{code: codeEvaluatorFailed, err: err}
	}
	x.trace, x.evaluated = decision.Trace(), true

	var refused *refusal
	var filter scope.Filter // stays empty for "none"
	decision.Switch(
		func(d *scope.Denial) { refused = denied(d) },
		func() {},
		func(f scope.Filter) { filter = f },
	)
	x.known = refused == nil || rulings[refused.code].row > rulings[scope.CodeInvalidResource].row
	if refused != nil {
		return scope.Filter{}, x.clientGoneInstead(refused)
	}
	if code, err := check(); err != nil {
		return scope.Filter{}, &refusal{code: code, err: err}
	}
	if !filter.Empty() && !x.asked(filter) {
		return scope.Filter{}, &refusal{code: codeEvaluatorFailed, err: errors.New("federation: the evaluator answered another question")}
	}
	x.filter, x.applied = filter, filter.Limit
	return filter, x.overdue(stageEvaluate)
}

// clientGoneInstead keeps a client that hung up from looking like native access
// that is out of reach.
func (x *exchange) clientGoneInstead(refused *refusal) *refusal {
	if refused.code == scope.CodeNativeUnavailable && errors.Is(x.over(), context.Canceled) {
		refused.code = codeClientGone
	}
	return refused
}

// asked tells if a filter is an answer to this request.
func (x *exchange) asked(f scope.Filter) bool {
	return f.Resource == x.resource && f.Subject == x.grant.Subject &&
		f.Limit >= 1 && f.Limit <= x.grant.Scope.MaxRows()
}

// page reads one page and writes the response body. Rows 14, 15 and 17: an empty
// filter does not reach the lister.
func (h *handler) page(x *exchange, filter scope.Filter, place *keyset, body *bytes.Buffer) *refusal {
	if filter.Empty() {
		appendPage(body, nil, "")
		return nil
	}
	if err := place.bind(); errors.Is(err, errNotListed) {
		return &refusal{code: codeNotListed, err: err}
	} else if err != nil {
		return &refusal{code: codeQueryFailed, err: err}
	}
	found, err := call(x.ctx, h, PartList, "lister", func(ctx context.Context) (found listed, err error) {
		found.rows, found.next, err = h.Lister.List(ctx, filter, place.start)
		return found, err
	})
	if err != nil {
		return x.refuseQuery(err)
	}
	token, err := found.token(filter, place)
	if err == nil {
		err = appendPage(body, found.rows, token)
	}
	if err != nil {
		return &refusal{code: codeQueryFailed, err: err}
	}
	x.rows, x.truncated = len(found.rows), token != ""
	return nil
}

// refuseQuery turns a Lister's error into a refusal. Drivers wrap a deadline in
// errors of their own (lib/pq: SQLSTATE 57014), so the context has the last word.
func (x *exchange) refuseQuery(err error) *refusal {
	over := x.over()
	switch {
	case errors.Is(over, context.Canceled):
		return &refusal{code: codeClientGone, stage: stageQuery, err: err}
	case over != nil, errors.Is(err, context.DeadlineExceeded), errors.Is(err, scope.ErrUnavailable):
		return &refusal{code: codeQueryUnavailable, err: err}
	}
	return &refusal{code: codeQueryFailed, err: err}
}

// listed is what a Lister returned.
type listed struct {
	rows []json.RawMessage
	next cursor.Position
}

// token returns the cursor of the next page, "" behind the last one. A page that
// is longer than it may be, or that goes on from nowhere, is an error.
func (l listed) token(f scope.Filter, place *keyset) (string, error) {
	if len(l.rows) > f.Limit {
		return "", fmt.Errorf("federation: the lister returned %d rows where %d were allowed", len(l.rows), f.Limit)
	}
	if l.next == nil {
		return "", nil
	}
	if len(l.rows) == 0 {
		return "", errors.New("federation: the lister returned a next position without rows")
	}
	return place.token(l.next)
}

// appendPage writes the body of a 200. The token is of the base64url alphabet and
// needs no escaping.
func appendPage(body *bytes.Buffer, rows []json.RawMessage, token string) error {
	body.WriteString(`{"items":[`)
	for i, row := range rows {
		if i > 0 {
			body.WriteByte(',')
		}
		if err := appendSourced(body, row); err != nil {
			return fmt.Errorf("federation: row %d of the lister: %w", i, err)
		}
	}
	body.WriteByte(']')
	if token != "" {
		body.WriteString(`,"nextCursor":"`)
		body.WriteString(token)
		body.WriteString(`","_truncated":true`)
	}
	body.WriteString("}\n")
	return nil
}
