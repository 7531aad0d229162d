package federation

import (
	"errors"

	"github.com/mosaicstack/fedkit/cursor"
	"github.com/mosaicstack/fedkit/scope"
)

var (
	errNotListed     = errors.New("federation: the lister does not serve this resource")
	errCursorNotText = errors.New("federation: cursor is not a string, or is empty")
	errUndecoded     = errors.New("federation: the cursor could not be decoded")
	errTokenTooLong  = errors.New("federation: the next cursor is longer than the contract allows")
)

// maxCursor is the length in characters that the wire contract gives a cursor.
const maxCursor = 4096

// cursorCodes says which internal code an error of cursor.Codec.Decode has.
var cursorCodes = []struct {
	err  error
	code scope.Code
}{
	{cursor.ErrTooLong, codeCursorTooLong},
	{cursor.ErrVersion, codeCursorVersion},
	{cursor.ErrUnknownKey, codeCursorUnknownKey},
	{cursor.ErrForged, codeCursorForged},
	{cursor.ErrMismatch, codeCursorMismatch},
	{cursor.ErrExpired, codeCursorExpired},
}

// A keyset is the place of one request in its list: where the page starts, and how
// the place behind it is written down.
type keyset struct {
	lister Lister
	codec  *cursor.Codec
	query  cursor.Query
	given  *string // the body's cursor; "" stands for anything that is no string

	bound   bool
	binding cursor.Binding
	unbound error // why there is no binding

	checked bool
	start   cursor.Position // nil: the start of the list
	code    scope.Code
	err     error
}

// newKeyset binds a list of the exchange to its grant. Neither the limit nor the
// teams belong to the query: both may differ between two pages.
func (h *handler) newKeyset(x *exchange, given *string) *keyset {
	return &keyset{
		lister: h.Lister,
		codec:  h.Cursors,
		given:  given,
		query: cursor.Query{
			Resource: x.resource,
			Grant:    x.grant.ID,
			Subject:  x.grant.Subject,
			Scope:    x.grant.Scope.Hash(),
		},
	}
}

// check is row 11: it decodes the cursor of the body, once, and gives the internal
// code of what is wrong with it. It is the Check of the scope.Request, so that a
// bad cursor costs the host nothing.
func (k *keyset) check() (scope.Code, error) {
	if !k.checked {
		// Whoever recovers from a panic in here and asks again gets an error.
		k.checked, k.code, k.err = true, codeQueryFailed, errUndecoded
		k.code, k.err = k.decode()
	}
	return k.code, k.err
}

func (k *keyset) decode() (scope.Code, error) {
	if k.given == nil {
		return "", nil
	}
	if *k.given == "" {
		return codeCursorNotText, errCursorNotText
	}
	switch err := k.bind(); {
	case errors.Is(err, errNotListed):
		return codeCursorMismatch, err // so it cannot have been made for this list
	case err != nil:
		return codeQueryFailed, err
	}
	start, err := k.codec.Decode(k.binding, *k.given)
	if err != nil {
		return cursorCode(err), err
	}
	k.start = start
	return "", nil
}

// cursorCode returns the internal code of an error of Decode. What is nothing else
// is malformed.
func cursorCode(err error) scope.Code {
	for _, known := range cursorCodes {
		if errors.Is(err, known.err) {
			return known.code
		}
	}
	return codeCursorMalformed
}

// bind asks the lister for the layout of the resource, once, and binds it to the
// query.
func (k *keyset) bind() error {
	if k.bound {
		return k.unbound
	}
	k.bound = true
	layout, err := guarded("lister", func() (cursor.Layout, error) {
		layout, known := k.lister.Layout(k.query.Resource)
		if !known {
			return cursor.Layout{}, errNotListed
		}
		return layout, nil
	})
	if err != nil {
		k.unbound = err
		return err
	}
	k.binding = layout.Bind(k.query)
	return nil
}

// token writes down the position behind a page, once bind has succeeded.
func (k *keyset) token(next cursor.Position) (string, error) {
	token, err := k.codec.Encode(k.binding, next)
	if err != nil {
		return "", err
	}
	if len(token) > maxCursor {
		return "", errTokenTooLong // a peer would refuse it
	}
	return token, nil
}
