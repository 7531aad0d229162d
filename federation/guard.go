package federation

import (
	"fmt"
	"net/http"
	"runtime/debug"
)

// A panicError is what a plugged-in part panicked with.
type panicError struct {
	part  string
	value any
	stack []byte
}

// Error names the part and what it panicked with. It is for the host's log. There
// is no Unwrap: a part that panics with ErrGrantRevoked has not said that the
// grant is revoked.
func (e *panicError) Error() string { return fmt.Sprintf("%s panicked: %v", e.part, e.value) }

// guarded calls f, which runs a part that the host plugged in, as contained does. The
// one exception is http.ErrAbortHandler, by which a handler asks net/http to drop the
// connection: it goes on.
func guarded[T any](part string, f func() (T, error)) (T, error) {
	result, err := contained(part, f)
	if panicked, is := err.(*panicError); is && panicked.value == http.ErrAbortHandler {
		panic(http.ErrAbortHandler)
	}
	return result, err
}

// contained calls f, which runs a part that the host plugged in. A panic becomes an
// error beside the zero result, so it can never pass for an answer.
func contained[T any](part string, f func() (T, error)) (result T, err error) {
	returned := false
	defer func() {
		// A flag instead of a look at what recover returns: that is nil for
		// panic(nil) under GODEBUG=panicnil=1.
		if returned {
			return
		}
		var zero T
		result, err = zero, &panicError{part: part, value: recover(), stack: debug.Stack()}
	}()
	result, err = f()
	returned = true
	return result, err
}
