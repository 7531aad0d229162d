package federation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// An ErrorCode says what went wrong with a request to a gateway. It is an error, so that
// errors.Is(err, federation.ErrNotFound) finds it in whatever a [Client] or [FanOut]
// returned.
type ErrorCode string

// The codes of the wire contract: the gateway answered, and refused.
const (
	ErrUnauthorized   ErrorCode = wireUnauthorized
	ErrForbidden      ErrorCode = wireForbidden
	ErrScopeViolation ErrorCode = wireScopeViolation
	ErrInvalidRequest ErrorCode = wireInvalidRequest
	ErrNotFound       ErrorCode = wireNotFound
	ErrRateLimited    ErrorCode = wireRateLimited
	ErrInternal       ErrorCode = wireInternalError
	ErrUnavailable    ErrorCode = wireUnavailable
)

// The codes of this side: there was no answer, or none that counts.
const (
	// ErrUnreachable: no connection, or one that broke off before the answer was
	// complete.
	ErrUnreachable ErrorCode = "unreachable"
	// ErrTimeout: the answer was not complete in time.
	ErrTimeout ErrorCode = "timeout"
	// ErrCanceled: whoever asked did not wait.
	ErrCanceled ErrorCode = "canceled"
	// ErrProtocolViolation: the answer is none that the wire contract allows.
	ErrProtocolViolation ErrorCode = "protocol_violation"
)

// Error returns the code.
func (c ErrorCode) Error() string { return "federation: " + string(c) }

// A PeerError is why a request to a gateway brought no data.
type PeerError struct {
	// Code is the gateway's own if it sent one that the wire contract knows, and else
	// this side's.
	Code ErrorCode

	// Status is that of the answer, 0 if there was none.
	Status int

	// Message is what the gateway says to people, at most 256 bytes of UTF-8 without
	// control characters. It comes from outside: show it as such.
	Message string

	// RetryAfter is how long the gateway wants to be left alone, 0 if it did not say.
	RetryAfter time.Duration

	// RequestID is the id by which the gateway's log knows the request.
	RequestID string

	// Err is what this side knows of the reason, or nil. It is a *[SourcesError] if the
	// gateway says how the sources of a list failed.
	Err error
}

// Error says all of it but the times.
func (e *PeerError) Error() string {
	var b strings.Builder
	b.WriteString(e.Code.Error())
	if e.Status != 0 {
		fmt.Fprintf(&b, " (status %d)", e.Status)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": the gateway says %q", e.Message)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Is makes the error match its code.
func (e *PeerError) Is(target error) bool {
	code, is := target.(ErrorCode)
	return is && code == e.Code
}

// Unwrap returns the reason that this side knows.
func (e *PeerError) Unwrap() error { return e.Err }

// codeOf is the code of any error of a client.
func codeOf(err error) ErrorCode {
	var failed *PeerError
	if errors.As(err, &failed) {
		return failed.Code
	}
	return ErrInternal
}

// codeOfStatus is the code of an answer whose body does not say. A 404 of a proxy says
// nothing about a row, and neither does any other status that is not listed.
func codeOfStatus(status int) ErrorCode {
	switch status {
	case http.StatusUnauthorized:
		return ErrUnauthorized
	case http.StatusForbidden:
		return ErrForbidden
	case http.StatusTooManyRequests:
		return ErrRateLimited
	case http.StatusInternalServerError:
		return ErrInternal
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return ErrUnavailable
	}
	return ErrProtocolViolation
}

// isWireCode tells if a gateway may use the code.
func isWireCode(code ErrorCode) bool {
	switch code {
	case ErrUnauthorized, ErrForbidden, ErrScopeViolation, ErrInvalidRequest, ErrNotFound,
		ErrRateLimited, ErrInternal, ErrUnavailable:
		return true
	}
	return false
}

// broken is the error of an attempt that brought no complete answer.
func broken(ctx context.Context, err error) *PeerError {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &PeerError{Code: ErrCanceled, Err: context.Canceled}
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return &PeerError{Code: ErrTimeout, Err: fmt.Errorf("%w: %w", context.DeadlineExceeded, err)}
	}
	return &PeerError{Code: ErrUnreachable, Err: err}
}

func isTimeout(err error) bool {
	var timed interface{ Timeout() bool }
	return errors.As(err, &timed) && timed.Timeout()
}
