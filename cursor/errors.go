package cursor

import (
	"errors"
	"fmt"
)

// Every refusal of [Codec.Decode] matches ErrInvalid and exactly one of the
// other sentinels below, so that a server can answer all of them with one
// constant text and still log which of them it was. None of them says
// anything about the content of the token.
var (
	// ErrInvalid is what all refusals of Decode have in common.
	ErrInvalid = errors.New("cursor: invalid token")

	// ErrMalformed refuses a text that no codec makes: characters outside
	// base64url, a second spelling of the same bytes, too few bytes, or
	// fields that are not what the layout says.
	ErrMalformed = fmt.Errorf("%w: malformed", ErrInvalid)

	// ErrTooLong refuses a token of more than Config.MaxLen characters.
	// Nothing of such a token is read.
	ErrTooLong = fmt.Errorf("%w: too long", ErrInvalid)

	// ErrVersion refuses a token of another version of the encoding, or of
	// another form than the codec's own.
	ErrVersion = fmt.Errorf("%w: another version or form", ErrInvalid)

	// ErrUnknownKey refuses a token of a key that the ring does not hold:
	// not accepted yet, or retired.
	ErrUnknownKey = fmt.Errorf("%w: unknown key", ErrInvalid)

	// ErrForged refuses a token that names a key of the ring but was not
	// made with it, or was changed since.
	ErrForged = fmt.Errorf("%w: not authentic", ErrInvalid)

	// ErrMismatch refuses an authentic token that was made for another
	// query or another layout, and every other token where the Binding is
	// the zero one.
	ErrMismatch = fmt.Errorf("%w: made for another query", ErrInvalid)

	// ErrExpired refuses an authentic token of this query whose time is
	// over, or that never expires where the codec demands an expiry.
	ErrExpired = fmt.Errorf("%w: expired", ErrInvalid)
)

// ErrUnencodable is what every error of [Codec.Encode] matches: the position
// does not fit its layout, or a value has no exact encoding. It does not match
// ErrInvalid, because it is a fault of the program and not of a client.
var ErrUnencodable = errors.New("cursor: position cannot be encoded")
