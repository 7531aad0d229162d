package federation

import (
	"net/http"
	"time"
)

// A Reply is the answer to a request at an endpoint of the host's own, in the manner of
// the handler of this package: with the same headers, the same forms of an error and the
// same request id. One request gets one.
type Reply struct {
	w         http.ResponseWriter
	asProblem bool
	id        string
}

// NewReply returns the Reply to a request.
func NewReply(w http.ResponseWriter, r *http.Request) *Reply {
	return &Reply{w: w, asProblem: wantsProblem(r.Header), id: requestID(r.Header)}
}

// RequestID returns the id that the response will have: the request's, if it has one
// that will do.
func (r *Reply) RequestID() string { return r.id }

// JSON sends a body that is JSON. The error is that of a client that has gone.
func (r *Reply) JSON(status int, body []byte) error {
	return answer{status: status, contentType: contentTypeJSON, body: body}.write(r.w, r.id)
}

// Error sends an error, as the envelope or, to who asks for it, as problem details. The
// code is one of the wire contract. The message is for the peer to read: it should be
// constant, and must not say what the peer may not know.
func (r *Reply) Error(status int, code, message string) error {
	return wireErrorBody{Code: code, Message: message}.answer(status, r.asProblem).write(r.w, r.id)
}

// RateLimited answers a request that a [Limiter] has refused: 429 with Retry-After, as
// the handler does.
func (r *Reply) RateLimited(retryAfter time.Duration) error {
	return refuse(&refusal{code: codeRateLimited, retryAfter: retryAfter}, r.asProblem).write(r.w, r.id)
}
