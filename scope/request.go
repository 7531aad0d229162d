package scope

import (
	"context"
	"errors"
)

// Request is one read that a peer asks for.
type Request struct {
	// Grant is what the credential of the request stands for.
	Grant Grant
	// Resource is the name as the peer wrote it, checked by nobody yet.
	Resource string
	// Limit is the page size as the peer asked for it.
	Limit Limit
	// Check is an optional last look at the peer's input (its cursor). It runs
	// once the grant's own rules have let the request through and before native
	// access is asked, so that bad input costs no statement on a database and
	// yet tells a peer nothing about a resource that it may not read.
	//
	// It lets the request through with ("", nil). Anything else denies at
	// StageCursor with that code. It runs on the goroutine of Evaluate, and a
	// panic in it passes through Evaluate.
	Check func() (Code, error)
}

// Evaluator decides what one request may read. [Rules] is the ready one; a host
// may wrap it. An Evaluator is safe for concurrent use.
type Evaluator interface {
	Evaluate(ctx context.Context, req Request) Decision
}

var errCheckWithoutError = errors.New("Request.Check gave a code without an error")

// check runs Check and makes its two results agree. A code without an error is
// taken for a refusal: whoever wrote it meant one.
func (r Request) check() (Code, error) {
	if r.Check == nil {
		return "", nil
	}
	code, err := r.Check()
	switch {
	case err == nil && code != "":
		err = errCheckWithoutError
	case err != nil && code == "":
		code = CodeUndecided
	}
	return code, err
}
