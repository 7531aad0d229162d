package federation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/internal/strictjson"
	"github.com/mosaicstack/fedkit/scope"
)

// bodyBeside is how long the body of a list may be beside its cursor, in bytes.
const bodyBeside = 1 << 10

// maxBody is the length of the longest body of a list, in bytes: a composite cursor holds
// the cursors of all sources.
func (h *handler) maxBody() int {
	if h.FanOut == nil {
		return maxBody
	}
	return max(maxBody, h.FanOut.cfg.MaxCursor+bodyBeside)
}

// maxCursor is the length of the longest cursor in characters.
func (h *handler) maxCursor() int {
	if h.FanOut == nil {
		return maxCursor
	}
	return h.FanOut.cfg.MaxCursor
}

// merges tells if more is asked for than the gateway's own rows.
func (b listBody) merges() bool { return b.source != "" && b.source != SourceLocal }

// parseSource reads the member source.
func parseSource(v strictjson.Value) (Source, error) {
	if v.Kind != strictjson.String {
		return "", fmt.Errorf("the member source (byte %d) is %s and not a string", v.Offset, v.Kind)
	}
	source, err := ParseSource(v.Text)
	if err != nil {
		return "", fmt.Errorf("the member source (byte %d) is neither local nor all nor peer:NAME", v.Offset)
	}
	return source, nil
}

// A mergedPlace is where the page of a merged list begins.
type mergedPlace struct {
	handler *handler
	request FanOutRequest
	given   *string // as in keyset

	checked bool
	begun   beginning
	code    scope.Code
	err     error
}

// listMerged serves a page over several gateways: list, from where the grant is known on.
//
// Nothing goes round in circles: a gateway asks its peers for no source, which is their
// own rows; and it marks what it asks, so that a peer whose host put a source into such a
// request refuses it.
func (h *handler) listMerged(x *exchange, asked listBody, body *bytes.Buffer) *refusal {
	x.source = asked.source
	if len(x.request.Header[hopHeader]) > 0 {
		return &refusal{code: codeHopLimit}
	}
	place := &mergedPlace{handler: h, given: asked.cursor, request: FanOutRequest{
		Grant: x.grant, Resource: x.resource, Source: asked.source,
	}}
	filter, refused := h.evaluate(x, asked.limit, place.check)
	if refused != nil {
		return refused
	}
	return h.settle(x, h.mergedPage(x, filter, place, body))
}

// check is row 11 for a composite cursor, see keyset.check.
func (p *mergedPlace) check() (scope.Code, error) {
	if !p.checked {
		p.checked, p.code, p.err = true, codeQueryFailed, errUndecoded
		p.code, p.err = p.decode()
	}
	return p.code, p.err
}

func (p *mergedPlace) decode() (scope.Code, error) {
	if p.given != nil {
		if p.request.Cursor = *p.given; p.request.Cursor == "" {
			return codeCursorNotText, errCursorNotText
		}
	}
	var err error
	p.begun, err = p.handler.FanOut.begin(p.request.query(), p.request.Cursor)
	switch {
	case errors.Is(err, ErrNoOrder):
		return codeSourceUnknown, err
	case err != nil:
		return cursorCode(err), err
	}
	return "", nil
}

// mergedPage reads the page and writes the response body.
func (h *handler) mergedPage(x *exchange, filter scope.Filter, place *mergedPlace, body *bytes.Buffer) *refusal {
	ctx := withRequestID(x.ctx, x.id)
	peers, err := h.FanOut.peers(ctx, x.grant)
	if err != nil {
		return x.sourcesRefused(codePeersUnavailable, err)
	}
	x.applied = x.mergedLimit(filter)
	r := place.request
	r.Limit = x.applied
	if !filter.Empty() {
		r.Local = h.localReader(x, filter)
	}
	page, err := call(ctx, h, PartFanOut, "fan-out", func(ctx context.Context) (Page, error) {
		return h.FanOut.page(ctx, r, place.begun, peers)
	})
	x.sources = page.Sources
	var failed *SourcesError
	switch {
	case errors.As(err, &failed):
		x.sources = failed.Sources
		refused := x.sourcesRefused(codeSourcesFailed, err)
		refused.sources = failed.Sources
		return refused
	case errors.Is(err, ErrInvalidSource):
		return &refusal{code: codeSourceUnknown, err: err}
	case err != nil:
		return x.refuseQuery(err)
	}
	appendMerged(body, page)
	x.rows, x.partial, x.truncated = len(page.Items), page.Partial, page.Next != ""
	return nil
}

// sourcesRefused is what it is called, unless it is because the client went.
func (x *exchange) sourcesRefused(code scope.Code, err error) *refusal {
	if errors.Is(x.over(), context.Canceled) {
		code = codeClientGone
	}
	return &refusal{code: code, err: err}
}

// mergedLimit is how many rows the page may have: also if the grant shows none here.
func (x *exchange) mergedLimit(filter scope.Filter) int {
	if filter.Limit > 0 {
		return filter.Limit
	}
	most := x.grant.Scope.MaxRows()
	if asked, err := strconv.Atoi(x.limit.String()); err == nil {
		return min(asked, most)
	}
	return most
}

// localReader reads the gateway's own rows as if it were one of the peers: its cursors are
// those that a peer would get.
func (h *handler) localReader(x *exchange, filter scope.Filter) readPage {
	place := h.newKeyset(x, nil)
	unbound := place.bind()
	return func(ctx context.Context, limit int, token string) (Page, error) {
		if unbound != nil {
			return Page{}, localError(ctx, unbound)
		}
		var after cursor.Position
		if token != "" {
			var err error
			if after, err = h.Cursors.Decode(place.binding, token); err != nil {
				return Page{}, &PeerError{Code: ErrInvalidRequest, Err: err}
			}
		}
		f := filter
		f.Limit = min(limit, x.grant.Scope.MaxRows())
		var found listed
		var err error
		if found.rows, found.next, err = h.Lister.List(ctx, f, after); err != nil {
			return Page{}, localError(ctx, err)
		}
		page := Page{Items: found.rows}
		if page.Next, err = found.token(f, place); err != nil {
			return Page{}, localError(ctx, err)
		}
		return page, nil
	}
}

// localError is an error of the Lister, by the code that a peer would see. As in
// refuseQuery, the context has the last word.
func localError(ctx context.Context, err error) *PeerError {
	if overTime(ctx) != nil || errors.Is(err, scope.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		return &PeerError{Code: ErrUnavailable, Err: err}
	}
	return &PeerError{Code: ErrInternal, Err: err}
}

// appendMerged writes the body of a 200.
func appendMerged(body *bytes.Buffer, page Page) {
	body.WriteString(`{"items":[`)
	for i, item := range page.Items {
		if i > 0 {
			body.WriteByte(',')
		}
		body.Write(item)
	}
	body.WriteByte(']')
	if page.Next != "" {
		body.WriteString(`,"nextCursor":"`)
		body.WriteString(page.Next)
		body.WriteString(`","_truncated":true`)
	}
	if page.Partial {
		body.WriteString(`,"_partial":true`)
	}
	sources, err := json.Marshal(page.Sources)
	if err != nil {
		panic(err) // they hold strings only
	}
	body.WriteString(`,"_sources":`)
	body.Write(sources)
	body.WriteString("}\n")
}
