package federation

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/mosaicstack/fedkit/scope"
)

// Prefix is the path under which the handler answers.
const Prefix = "/api/federation/v1/"

// The verbs of the protocol, as they stand in paths, in capabilities and in the
// log.
const (
	verbList         = "list"
	verbGet          = "get"
	verbCapabilities = "capabilities"
	verbContract     = "contract" // of no path: it stands for those of the documents
)

// handler serves the verbs. It holds no state beside its parts and who is in it now.
type handler struct {
	Config
	running inflight
}

// An exchange is one request on its way through the handler, with all that its
// log line will say.
type exchange struct {
	started   time.Time
	ctx       context.Context // ends when the client goes, or at the deadline
	client    context.Context // the same without the deadline, once there is one
	request   *http.Request   // carries ctx
	id        string
	verb      string
	resource  string
	item      string // the id of a get, as the client wrote it
	grant     scope.Grant
	trace     scope.Trace
	evaluated bool
	known     bool // the registry has the resource
	limit     scope.Limit
	filter    scope.Filter // empty before the evaluation, and if it allows nothing
	applied   int          // the limit of the page
	rows      int
	source    Source         // of a list over several gateways, empty for any other
	sources   []SourceStatus // of that list
	partial   bool
	truncated bool
	audited   bool
	bytes     int          // of the answer's body
	ended     func(Record) // tells the Observer
	entered   bool         // is counted among the grant's requests under way
}

// ServeHTTP answers one request, after it has been audited, and logs it.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{started: time.Now(), ctx: r.Context(), request: r, id: requestID(r.Header)}
	x.verb, x.resource, x.item = h.route(r.URL.Path)
	h.observeRequest(x)

	// Also when a part aborts the handler by panicking: then there is no outcome.
	var done outcome
	defer func() { h.finish(x, done) }()

	body := borrowBuffer()
	defer returnBuffer(body)
	refused, err := guarded("handler", func() (*refusal, error) { return h.serve(x, body), nil })
	if err != nil { // an error of the host's that panics when it is looked at
		refused = &refusal{code: codeHandlerFailed, err: err}
	}

	reply := x.reply(refused, body)
	if instead := h.auditOrRefuse(x, reply, refused); instead != nil {
		refused = instead
		reply = x.reply(refused, body)
	}
	done = outcomeOf(reply, refused)
	x.bytes = len(reply.body)
	done.writing = reply.write(w, x.id)
}

// finish closes the books on a request.
func (h *handler) finish(x *exchange, done outcome) {
	defer h.log(x, done)
	defer h.leave(x)
	defer h.observeEnd(x, done)
	if !x.audited { // it was aborted
		h.audit(x, done, 0)
	}
}

// reply renders the answer: the body, or the refusal in its place.
func (x *exchange) reply(refused *refusal, body *bytes.Buffer) answer {
	if refused != nil {
		return refuse(refused, wantsProblem(x.request.Header))
	}
	return answer{status: http.StatusOK, contentType: contentTypeJSON, body: body.Bytes()}
}

// serve answers by the verb: it writes the body of a 200 to body, or returns why
// there is none.
func (h *handler) serve(x *exchange, body *bytes.Buffer) *refusal {
	switch x.verb {
	case verbList:
		return h.list(x, body)
	case verbGet:
		return h.get(x, body)
	case verbCapabilities:
		return h.tell(x, body, h.capabilities)
	case verbContract:
		return h.tell(x, body, document)
	}
	return &refusal{code: codeBadPath}
}

// route returns the verb of a path, and "" for a path that has none. The resource
// is one path segment of any text: whether it exists is for the registry to say,
// after the peer has proved who it is. The id of an item is all that stands behind
// it, slashes included.
func (h *handler) route(path string) (verb, resource, item string) {
	rest, ours := strings.CutPrefix(path, Prefix)
	if !ours {
		return "", "", ""
	}
	if rest == verbCapabilities {
		return verbCapabilities, "", ""
	}
	if _, ok := documents[rest]; ok && h.Contract {
		return verbContract, "", ""
	}
	verb, rest, _ = strings.Cut(rest, "/")
	resource, item, hasItem := strings.Cut(rest, "/")
	switch {
	case resource == "":
	case verb == verbList && !hasItem:
		return verbList, resource, ""
	case verb == verbGet && item != "" && h.Getter != nil:
		return verbGet, resource, item
	}
	return "", "", ""
}

// limitTo starts the time that the work on a request may take. The body has been read
// by then: a client that sent it slowly has not used up the time of the host's parts.
func (x *exchange) limitTo(timeout time.Duration) (cancel context.CancelFunc) {
	x.client = x.ctx
	x.ctx, cancel = context.WithTimeout(x.ctx, timeout)
	x.request = x.request.WithContext(x.ctx)
	return cancel
}

// only refuses every method but one.
func (x *exchange) only(method string) *refusal {
	if x.request.Method != method {
		return &refusal{code: codeBadMethod, allow: method}
	}
	return nil
}

// over tells why the time of the request is over, and nil while it is not.
func (x *exchange) over() error { return overTime(x.ctx) }

// overTime tells why the time of a context is over, and nil while it is not. The
// clock has the last word: on a busy machine the timer of the context is late.
func overTime(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// overdue refuses a request whose time is over, whatever its parts have answered
// since, or whose client has gone.
func (x *exchange) overdue(stage scope.Stage) *refusal {
	err := x.over()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return &refusal{code: codeClientGone, stage: stage, err: err}
	}
	return &refusal{code: codeDeadline, stage: stage, err: err}
}
