package federation

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
)

const (
	requestIDHeader = "X-Request-Id"
	maxRequestID    = 128
)

// requestID returns the id that the client chose if it is one, else a fresh
// random one of 128 bits. Two headers are no choice.
func requestID(header http.Header) string {
	if sent := header[requestIDHeader]; len(sent) == 1 && validRequestID(sent[0]) {
		return sent[0]
	}
	var id [16]byte
	rand.Read(id[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(id[:])
}

// validRequestID tells if id is 1 to 128 visible ASCII characters: what can stand
// in a header and on one line of a log as it is.
func validRequestID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return false
		}
	}
	return true
}

// requestIDKey is the key of the request id in a context.
type requestIDKey struct{}

// withRequestID makes clients use the id for what they ask in this context, so that the
// logs of two gateways can be laid side by side.
func withRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// requestIDFrom returns the id of the context, or a fresh one.
func requestIDFrom(ctx context.Context) string {
	if id, ok := ctx.Value(requestIDKey{}).(string); ok {
		return id
	}
	return requestID(nil)
}
